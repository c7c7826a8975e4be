from __future__ import annotations

import subprocess
import sys

from temperance.records.version import __version__


def test_the_command_line_runs_without_a_script_on_the_path() -> None:
    done = subprocess.run([sys.executable, "-m", "temperance", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"temperance {__version__}"
