"""Temperance: regularization that is found, adapted, proved and kept honest. Heavy parts load on first use.

The names stand by room, ``temperance.regularizers.Dropout``, ``temperance.control.Linear``, ``temperance.signals.Gap``;
techniques and controllers can be taken from here too, ``from temperance import Dropout``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from temperance.records.version import __version__

if TYPE_CHECKING:
    from temperance.control import (
        Chain,
        Clamp,
        Constant,
        Constraint,
        Controller,
        Cosine,
        Curriculum,
        Delay,
        Early,
        EarlyStopping,
        Every,
        GapFeedback,
        Hypergradient,
        LabelWave,
        Late,
        LikeRate,
        Linear,
        Only,
        PopulationBased,
        RateLimit,
        Restarts,
        SignFeedback,
        Spectral,
        Staged,
        Steps,
        StopAbove,
        StopRising,
        Strength,
    )
    from temperance.core.batch import Batch, Mixed
    from temperance.core.convention import WholeBatch
    from temperance.core.functional import compile_recipe
    from temperance.core.price import price_recipe
    from temperance.core.recipe import Recipe
    from temperance.core.regularizer import Regularizer
    from temperance.core.selection import Within
    from temperance.core.session import Session
    from temperance.core.signal import Signal
    from temperance.estimators.classifier import TemperanceClassifier
    from temperance.estimators.fit import fit
    from temperance.estimators.regressor import TemperanceRegressor
    from temperance.population import Population
    from temperance.records.errors import TemperanceError
    from temperance.records.finding import Finding
    from temperance.records.measurement import Measurement
    from temperance.regularizers import *  # noqa: F403
    from temperance.study.task import Task, TaskInfo


_CONTROL = (
    "Chain", "Clamp", "Constant", "Constraint", "Controller", "Cosine", "Curriculum", "Delay", "Early",
    "EarlyStopping", "Every", "GapFeedback", "Hypergradient", "LabelWave", "Late", "LikeRate", "Linear", "Only",
    "PopulationBased", "RateLimit", "Restarts", "SignFeedback", "Spectral", "Staged", "Steps", "StopAbove",
    "StopRising", "Strength",
)  # fmt: skip
_WHERE = {
    **dict.fromkeys(_CONTROL, "control"),
    "Batch": "core.batch",
    "Finding": "records.finding",
    "Measurement": "records.measurement",
    "Mixed": "core.batch",
    "Population": "population",
    "Recipe": "core.recipe",
    "Regularizer": "core.regularizer",
    "Session": "core.session",
    "Signal": "core.signal",
    "Task": "study.task",
    "TaskInfo": "study.task",
    "TemperanceClassifier": "estimators.classifier",
    "TemperanceError": "records.errors",
    "TemperanceRegressor": "estimators.regressor",
    "WholeBatch": "core.convention",
    "Within": "core.selection",
    "compile_recipe": "core.functional",
    "fit": "estimators.fit",
    "price_recipe": "core.price",
}
_ROOMS = (
    "adaptation", "audit", "control", "core", "data", "deployment", "estimators", "evaluation", "governance",
    "integrations", "lifecycle", "models", "monitoring", "population", "proof", "records", "regularizers", "report",
    "signals", "study", "testing", "training",
)  # fmt: skip
_REGISTERING = ("regularizers", "signals")  # rooms that fill the registries; also where all other names are looked up
_SHOWN = ("__version__", *sorted(_WHERE))


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562); a name that is not listed here is a technique's, or an error."""
    if name == "__all__":
        return [*_SHOWN, *importlib.import_module("temperance.regularizers").__all__]
    if name.startswith("_"):
        raise AttributeError(f"module 'temperance' has no attribute {name!r}")
    if name in _ROOMS:
        return importlib.import_module(f"temperance.{name}")
    where = _WHERE.get(name)
    if where is None or where.startswith(("core.", "population")):
        for room in _REGISTERING:
            importlib.import_module(f"temperance.{room}")
    try:
        value = getattr(importlib.import_module(f"temperance.{where or 'regularizers'}"), name)
    except AttributeError:
        raise AttributeError(f"module 'temperance' has no attribute {name!r}") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the vocabulary and the rooms; techniques and controllers are listed by their rooms."""
    return sorted({*_SHOWN, *_ROOMS} - set(_CONTROL) | {"Controller", "Strength"})
