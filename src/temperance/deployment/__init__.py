"""From a trained model to a folder that serves: bundle, export, server. The server needs no torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Boosting": "boosting",
    "Bundle": "bundle",
    "Constant": "constant",
    "Encoding": "encoding",
    "Ensemble": "ensemble",
    "Extras": "write",
    "Forest": "forest",
    "Interval": "write",
    "Linear": "linear",
    "Network": "network",
    "Part": "base",
    "Pixels": "pixels",
    "Sketch": "sketch",
    "basic_part": "basic",
    "fill": "sketch",
    "load": "bundle",
    "model_graph": "base",
    "write_bundle": "write",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
