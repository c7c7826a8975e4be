"""A bundle for where it will run: smaller or faster forms of its graph, each measured and gated before it ships."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Candidate": "gate",
    "Judge": "gate",
    "Limits": "choice",
    "Outcome": "targets",
    "TARGETS": "targets",
    "export_bundle": "targets",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
