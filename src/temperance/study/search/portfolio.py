"""The fixed part of a search: basic models, the plain net, cocktails, single techniques, static and adaptive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temperance.models.defaults import RECIPES
from temperance.study.search.base import Proposer
from temperance.study.spec import Kind, TrialSpec


class Portfolio(Proposer):
    """Proposes a list in its order; what it hears changes nothing."""

    def __init__(self, specs: Iterable[TrialSpec]) -> None:
        self._left = list(specs)

    def propose(self) -> TrialSpec | None:
        """Return the next of the list."""
        return self._left.pop(0) if self._left else None

    def observe(self, spec: TrialSpec, quality: float | None) -> None:
        """Hear nothing: the list is fixed."""

    @property
    def left(self) -> tuple[TrialSpec, ...]:
        """What was not proposed yet."""
        return tuple(self._left)


def basic_specs(*, images: bool, seed: int) -> list[TrialSpec]:
    """Return the basic models that always compete."""
    names = ["majority"] if images else ["majority", "linear", "boosting"]
    words = {
        "majority": "the same answer for all",
        "linear": "regularized linear model",
        "boosting": "gradient boosting",
    }
    return [TrialSpec("", words[name], "basic", name.capitalize(), seed=seed) for name in names]


def net_specs(
    *, model: str, settings: dict[str, Any], task: str, images: bool, has_controller_rows: bool, seed: int
) -> list[TrialSpec]:
    """Return the nets in the order in which they are worth trying when time is short."""
    found: list[TrialSpec] = []

    def add(name: str, kind: Kind, techniques: list[dict[str, Any]], controller: dict[str, Any] | None = None) -> None:
        recipe: dict[str, Any] = {"regularizers": techniques}
        if controller is not None:
            recipe["controller"] = controller
        found.append(TrialSpec("", name, kind, model, recipe, settings, seed=seed, adaptive=controller is not None))

    mild, strong = cocktail(images=images), strong_cocktail(images=images)
    add("adaptive cocktail", "cocktail", mild, adaptive_controller(has_controller_rows=has_controller_rows))
    add("plain net", "plain", [])
    add("light cocktail", "cocktail", light_cocktail())
    add("mild cocktail", "cocktail", mild)
    add("strong cocktail", "cocktail", strong)
    for name, technique in singles(task=task, images=images).items():
        add(f"{name} alone", "single", [technique])
    add(
        "adaptive strong cocktail", "cocktail", strong,
        adaptive_controller(has_controller_rows=has_controller_rows),
    )  # fmt: skip
    return found


def cocktail(*, images: bool) -> list[dict[str, Any]]:
    """Return the mild default mixture of techniques."""
    mixed: list[dict[str, Any]] = [{"name": "EMA", "decay": 0.99}]
    mixed += [{"name": name, **settings} for name, settings in _strengths("medium").items()]
    return [*mixed, {"name": "MixUp", "alpha": 0.2}] if images else mixed


def strong_cocktail(*, images: bool) -> list[dict[str, Any]]:
    """Return a mixture for small or noisy data."""
    mixed = [{"name": "EMA", "decay": 0.99}, {"name": "FeatureNoise", "sigma": 0.05}, {"name": "MixUp", "alpha": 0.2}]
    return mixed + [{"name": name, **settings} for name, settings in _strengths("strong").items()]


def light_cocktail() -> list[dict[str, Any]]:
    """Return the lightest mixture, for large data."""
    light = _strengths("light").items()
    return [{"name": "EMA", "decay": 0.99}, *({"name": name, **settings} for name, settings in light)]


def _strengths(name: str) -> dict[str, dict[str, float]]:
    """Return the techniques of a measured starting recipe that are not neutral."""
    chosen = next(recipe for recipe in RECIPES if recipe.name == name)
    found = {"WeightDecay": {"rate": chosen.weight_decay}, "Dropout": {"p": chosen.dropout}}
    return {technique: values for technique, values in found.items() if any(values.values())}


def singles(*, task: str, images: bool) -> dict[str, dict[str, Any]]:
    """Return single techniques by plain name, the most promising first."""
    found = {
        "averaging (EMA)": {"name": "EMA", "decay": 0.99},
        "dropout": {"name": "Dropout", "p": 0.2},
        "weight decay": {"name": "WeightDecay", "rate": 0.1},
        "mixup": {"name": "MixUp", "alpha": 0.2},
        "feature noise": {"name": "FeatureNoise", "sigma": 0.1},
        "sharpness-aware steps (SAM)": {"name": "SAM", "rho": 0.05},
        "averaging the end (SWA)": {"name": "SWA", "tail": 0.25},
        "L1": {"name": "L1", "rate": 1e-5},
        "gradient clipping": {"name": "GradientClipping", "norm": 1.0},
    }
    if task != "regression":
        found["label smoothing"] = {"name": "LabelSmoothing", "eps": 0.05}
    if images:
        found["stochastic depth"] = {"name": "StochasticDepth", "p": 0.1}
    return found


def adaptive_controller(*, has_controller_rows: bool) -> dict[str, Any]:
    """Return the controller of adaptive trials: gap feedback where rows can be spared, else a phase schedule."""
    if has_controller_rows:
        return {"name": "GapFeedback"}
    return {"name": "Curriculum"}
