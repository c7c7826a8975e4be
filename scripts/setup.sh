#!/bin/sh
# Make a virtual environment with the tested versions. Arguments: Python, folder, index of PyTorch's CPU builds.
set -eu
python=$1 venv=$2 torch_index=$3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Error: $("$python" --version 2>&1) is too old. Accepted: Python 3.11 or newer. Use: make setup PYTHON=python3.12" >&2
    exit 2
}
if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" || {
        echo "Error: no virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    }
fi
pip() { "$venv/bin/python" -m pip -qq "$@"; }

pip install 'pip>=25.1'
if [ "$(uname -s)" = Linux ] && ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
    # The CPU build is named apart. It may be in a local wheel folder; else it comes from PyTorch's own index.
    version=$(sed -n 's/^torch==//p' constraints.txt)
    pip install -c constraints.txt "torch==$version+cpu" 2>/dev/null ||
        pip install -c constraints.txt "torch==$version" --index-url "$torch_index" --extra-index-url https://pypi.org/simple
fi
pip install -c constraints.txt --editable '.[serve,docs]' --group dev
foreign=$("$venv/bin/python" -m pip list --format=freeze | grep -iE '^(nvidia-|cuda-|triton)' || true)
if [ -n "$foreign" ] && [ "$(uname -s)" = Linux ]; then
    echo "Warning: GPU packages were installed beside PyTorch: $(echo "$foreign" | tr '\n' ' ')" >&2
fi
