"""From files and frames to arrays: ``read``, ``split``, ``profile`` and ``Preprocess``. All load on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.data.preprocess import Features, Preprocess
    from temperance.data.reader import read
    from temperance.data.reading import Reading
    from temperance.data.roles import load_roles, save_roles, split
    from temperance.data.summary import profile

__all__ = ["Features", "Preprocess", "Reading", "load_roles", "profile", "read", "save_roles", "split"]

_HOME = {
    "Features": "preprocess",
    "Preprocess": "preprocess",
    "Reading": "reading",
    "load_roles": "roles",
    "profile": "summary",
    "read": "reader",
    "save_roles": "roles",
    "split": "roles",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
