"""Watch served traffic: sequential drift tests with a stated false-alarm rate, and label-free estimates.

NumPy and the standard library only. Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Alert": "alerts",
    "Claim": "claims",
    "Course": "course",
    "Detector": "base",
    "LossMonitor": "degradation",
    "Monitor": "monitor",
    "Panel": "panel",
    "alerts_from": "alerts",
    "build": "reference",
    "diagnose": "diagnosis",
    "expected_quality": "degradation",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
