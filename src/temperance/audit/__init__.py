"""Look at the data before a model does: one check per file, each with the verb ``inspect`` → ``Finding``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.audit.base import CHECKS, Check
    from temperance.audit.context import Context
    from temperance.audit.inspection import inspect

__all__ = ["CHECKS", "Check", "Context", "inspect"]
_HOMES = {"CHECKS": "inspection", "Check": "base", "Context": "context", "inspect": "inspection"}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
