"""What the room exports."""

from __future__ import annotations

import subprocess
import sys

import pytest

import temperance.lifecycle as room


def test_every_exported_name_is_there() -> None:
    assert all(getattr(room, name) is not None for name in room.__all__)
    with pytest.raises(AttributeError, match="no_such"):
        _ = room.no_such


def test_importing_the_room_loads_no_torch() -> None:
    code = "import sys, temperance.lifecycle; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
