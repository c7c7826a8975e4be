"""scikit-learn estimators over nets and studies, loaded on first use; ``temperance.fit`` is in ``estimators.fit``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.estimators.classifier import TemperanceClassifier
    from temperance.estimators.regressor import TemperanceRegressor

_HOMES = {"TemperanceClassifier": "classifier", "TemperanceRegressor": "regressor"}
__all__ = ["TemperanceClassifier", "TemperanceRegressor"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
