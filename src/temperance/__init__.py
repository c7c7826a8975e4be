"""Temperance: regularization that is found, adapted, proved and kept honest. Heavy parts load on first use."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "Batch": "core.batch",
    "Mixed": "core.batch",
    "Recipe": "core.recipe",
    "Session": "core.session",
    "Regularizer": "core.regularizer",
    "Strength": "control.strength",
    "Controller": "control.base",
    "Signal": "core.signal",
    **dict.fromkeys(
        ("EMA", "L1", "L2", "SAM", "SWA", "Dropout", "FeatureNoise", "GradientClipping", "LabelSmoothing", "MixUp",
         "StochasticDepth", "WeightDecay"), "regularizers"),
    "Constant": "control.constant",
    "GapFeedback": "control.gap_feedback",
    "EarlyStopping": "control.early_stopping",
    "Measurement": "records.measurement",
    "Finding": "records.finding",
    "TemperanceError": "records.errors",
}  # fmt: skip
_REGISTERING = ("regularizers", "signals")  # rooms that fill the registries when training is in play

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'temperance' has no attribute {name!r}")
    where = _WHERE[name]
    if where.startswith("core."):
        for room in _REGISTERING:
            importlib.import_module(f"temperance.{room}")
    value = getattr(importlib.import_module(f"temperance.{where}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
