"""Tests of a framework run where it is installed; ``small`` has the models and rows of transformers."""

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
_NEEDS_TRANSFORMERS = ["test_transformers*.py", "test_accelerate.py", "test_peft*.py"]
collect_ignore_glob = [] if find_spec("transformers") and find_spec("accelerate") else _NEEDS_TRANSFORMERS
