"""Change a deployed model from its traffic, with labels or without, and decide whether the change may stay.

NumPy and the standard library only. Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Adapter": "base",
    "Guarded": "guard",
    "InputCheck": "inputs",
    "LabelShift": "adapters.label_shift",
    "PairedBets": "evidence",
    "Rules": "machine",
    "Setting": "traffic",
    "Snapshots": "rollback",
    "Steward": "steward",
    "Traffic": "traffic",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
