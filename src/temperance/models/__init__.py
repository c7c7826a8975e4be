"""Room models: the nets used when the user brings none, and the basic models that always compete."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.models.base import ARCHITECTURES, Architecture, ModelInfo
    from temperance.models.basic import (
        BASIC,
        BasicModel,
        Boosting,
        CatBoost,
        CrossFit,
        ExtraTrees,
        FittedBasic,
        LightGBM,
        Linear,
        Majority,
        Outside,
        cross_fit,
    )
    from temperance.models.defaults import (
        RECIPES,
        Candidate,
        Training,
        candidates_for,
        recipes_for,
        size_for,
        training_for,
    )
    from temperance.models.edges import bin_edges
    from temperance.models.folds import fold_targets, out_of_fold
    from temperance.models.loss import combine, cross_entropy, loss_for, squared_error
    from temperance.models.nets import architecture, build, default_name

_HOMES = {
    "base": ("Architecture", "ModelInfo"),
    "basic": (
        *("BASIC", "BasicModel", "Boosting", "CatBoost", "CrossFit", "ExtraTrees", "FittedBasic", "LightGBM", "Linear"),
        *("Majority", "Outside", "cross_fit"),
    ),
    "defaults": ("RECIPES", "Candidate", "Training", "candidates_for", "recipes_for", "size_for", "training_for"),
    "edges": ("bin_edges",),
    "folds": ("fold_targets", "out_of_fold"),
    "loss": ("combine", "cross_entropy", "loss_for", "squared_error"),
    "nets": ("ARCHITECTURES", "architecture", "build", "default_name"),  # importing it registers them all
}
_WHERE = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ARCHITECTURES",
    "BASIC",
    "RECIPES",
    "Architecture",
    "BasicModel",
    "Boosting",
    "Candidate",
    "CatBoost",
    "CrossFit",
    "ExtraTrees",
    "FittedBasic",
    "LightGBM",
    "Linear",
    "Majority",
    "ModelInfo",
    "Outside",
    "Training",
    "architecture",
    "bin_edges",
    "build",
    "candidates_for",
    "combine",
    "cross_entropy",
    "cross_fit",
    "default_name",
    "fold_targets",
    "loss_for",
    "out_of_fold",
    "recipes_for",
    "size_for",
    "squared_error",
    "training_for",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
