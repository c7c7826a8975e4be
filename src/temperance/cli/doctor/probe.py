"""Tries a piece of code in a process of its own: a package that crashes, hangs or warns takes nobody with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

SECONDS = 120.0
_TOLD = "temperance-doctor:"


@dataclass(frozen=True)
class Tried:
    """What came of it.

    Attributes:
        worked: it ran to its end.
        facts: what it told with ``tell(name=value)``.
        why: the last line of its complaint where it did not work, else empty.
        warned: what else it wrote to standard error.

    """

    worked: bool
    facts: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    warned: str = ""


def attempt(code: str, *, seconds: float = SECONDS) -> Tried:
    """Run Python code in a fresh process; inside, ``tell(name=value)`` hands facts back.

    Args:
        code: Python source.
        seconds: how long it may take.

    """
    head = f"import json\ndef tell(**facts): print({_TOLD!r} + json.dumps(facts))\n"
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "default"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", head + code], capture_output=True, text=True, encoding="utf-8", errors="replace",
            timeout=seconds, check=False, env=environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Tried(False, why=f"it took longer than {seconds:g} seconds")
    facts: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith(_TOLD):
            facts |= json.loads(line.removeprefix(_TOLD))
    complaint = done.stderr.strip()
    if done.returncode == 0:
        return Tried(True, facts, warned=complaint)
    return Tried(False, facts, why=_reason(complaint, done.returncode), warned=complaint)


def _reason(complaint: str, status: int) -> str:
    if status < 0:
        return f"the process was ended by signal {-status}, which mostly means that a compiled part does not fit here"
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"it ended with status {status} and no word"
