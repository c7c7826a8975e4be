"""The fixed part of a search: basic models, the plain net, cocktails, single techniques, static and adaptive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temperance.models.defaults import Candidate, candidates_for, recipes_for
from temperance.records.schema import Task
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


def net_specs(
    *, model: str, settings: dict[str, Any], steps: int, task: Task, images: bool, folded: bool, seed: int
) -> list[TrialSpec]:
    """Return the nets in the order in which they are worth trying when time is short.

    Args:
        model: name of the architecture, ``user`` for a user's own.
        settings: of the training.
        steps: length of one training: an average of the weights looks back over a share of it.
        task: kind of the target.
        images: whether the inputs are images.
        folded: train in folded runs.
        seed: of all of them.

    """
    if folded:
        return folded_specs(settings=settings, task=task, seed=seed)

    def spec(
        name: str, kind: Kind, techniques: list[dict[str, Any]], *, adapt: bool = False, **changes: Any
    ) -> TrialSpec:
        recipe: dict[str, Any] = {"regularizers": techniques}
        if adapt:
            recipe["controller"] = {"name": "Curriculum"}
        return TrialSpec("", name, kind, model, recipe, settings, seed=seed, adaptive=adapt).changed(**changes)

    ways = [way for way in candidates_for(task) if model == "Tabular" or way.views == "both"]
    mixtures = [_techniques(way, task=task, images=images) for way in ways]
    first = next(mixture for mixture in mixtures if mixture)
    found = [spec("plain net", "plain", [])]
    for way in ways:
        techniques = _techniques(way, task=task, images=images)
        if not techniques and way.epochs_share == 1.0 and way.views == "both":
            continue  # the plain net
        changes = _changes(way, settings, model)
        kind: Kind = "cocktail" if len(techniques) > 1 else "single"
        found.append(spec(f"{way.name} cocktail", kind, techniques, **changes))
    found = [*found[1:2], found[0], *found[2:]]  # one recipe, then the plain net that tells what it bought
    found.append(spec("adaptive cocktail", "cocktail", first, adapt=True))  # moving strengths earned nothing (0009)
    for name, technique in singles(task=task, images=images, steps=steps).items():
        found.append(spec(f"{name} alone", "single", [technique]))
    found.append(spec("adaptive strong cocktail", "cocktail", strong_cocktail(task=task, steps=steps), adapt=True))
    return found


def plain_early(nets: list[TrialSpec]) -> list[TrialSpec]:
    """Return the nets with the plain one second at the latest: what regularization bought needs it."""
    plain = [net for net in nets if net.kind == "plain"][:1]
    others = [net for net in nets if net not in plain]
    return [*others[:1], *plain, *others[1:]]


def without(specs: Iterable[TrialSpec], names: frozenset[str]) -> list[TrialSpec]:
    """Return the trials without these techniques; one that then does what an earlier one does is left out."""
    found: list[TrialSpec] = []
    for spec in specs:
        kept = [one for one in (spec.recipe or {}).get("regularizers", []) if one["name"] not in names]
        if spec.recipe is None or len(kept) == len(spec.recipe["regularizers"]):
            found.append(spec)
            continue
        kind: Kind = "cocktail" if len(kept) > 1 else "single"
        changed = spec.changed(recipe={**spec.recipe, "regularizers": kept}, kind=kind)
        if kept and not any(_alike(changed, other) for other in found):
            found.append(changed)
    return found


def _alike(one: TrialSpec, other: TrialSpec) -> bool:
    return (one.recipe, one.settings, one.slots) == (other.recipe, other.settings, other.slots)


def folded_specs(*, settings: dict[str, Any], task: Task, seed: int) -> list[TrialSpec]:
    """Return folded runs, the default first. One slot of each has the plain net's strengths: none."""
    usual = medium(task)
    plain = {"weight_decay.rate": 0.0, "dropout.p": 0.0}

    def spec(name: str, techniques: list[dict[str, Any]], *, slots: Any = ({}, plain), **changed: Any) -> TrialSpec:
        return TrialSpec(
            "", name, "folded", "Tabular", {"regularizers": techniques}, {**settings, **changed}, seed=seed, slots=slots
        )

    epochs = settings["epochs"]
    decay, dropout = usual
    strong = next(recipe for recipe in recipes_for(task) if recipe.name == "strong")
    return [
        spec("folded run", usual),
        spec("longer folded run, views exchanged", usual, slots=(plain, {}), epochs=2 * epochs),
        spec(
            "short and strong folded run",
            [{**decay, "rate": strong.weight_decay}, {**dropout, "p": strong.dropout}], epochs=round(epochs / 2, 4),
        ),
        spec("folded run with noise and mixup",
             [*usual, {"name": "FeatureNoise", "sigma": 0.1}, {"name": "MixUp", "alpha": 0.2}]),
        spec("folded run with sharpness-aware steps (SAM)", [*usual, {"name": "SAM", "rho": 0.05}], slots=(plain, {})),
    ]  # fmt: skip


def medium(task: Task) -> list[dict[str, Any]]:
    """Return the usual techniques of a net for tables."""
    chosen = next(recipe for recipe in recipes_for(task) if recipe.name == "medium")
    return [{"name": "WeightDecay", "rate": chosen.weight_decay}, {"name": "Dropout", "p": chosen.dropout}]


def _techniques(way: Candidate, *, task: Task, images: bool) -> list[dict[str, Any]]:
    chosen = next(recipe for recipe in recipes_for(task) if recipe.name == way.strengths)
    found: list[dict[str, Any]] = []
    if chosen.weight_decay:
        found.append({"name": "WeightDecay", "rate": chosen.weight_decay})
    if chosen.dropout:
        found.append({"name": "Dropout", "p": chosen.dropout})
    return [*found, {"name": "MixUp", "alpha": 0.2}] if images and way.strengths != "light" else found


def _changes(way: Candidate, settings: dict[str, Any], model: str) -> dict[str, Any]:
    changes: dict[str, Any] = {"settings": {**settings, "epochs": round(settings["epochs"] * way.epochs_share, 4)}}
    if model == "Tabular" and way.views != "both":
        changes["architecture"] = {"views": way.views}
    return changes


def strong_cocktail(*, task: Task, steps: int) -> list[dict[str, Any]]:
    """Return a mixture for small or noisy data."""
    chosen = next(recipe for recipe in recipes_for(task) if recipe.name == "strong")
    mixed: list[dict[str, Any]] = [average(steps), {"name": "FeatureNoise", "sigma": 0.05}]
    return [
        *mixed, {"name": "MixUp", "alpha": 0.2}, {"name": "WeightDecay", "rate": chosen.weight_decay},
        {"name": "Dropout", "p": chosen.dropout},
    ]  # fmt: skip


def singles(*, task: Task, images: bool, steps: int) -> dict[str, dict[str, Any]]:
    """Return single techniques by plain name, the most promising first."""
    found = {
        "averaging (EMA)": average(steps),
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


def average(steps: int, share: float = 0.02) -> dict[str, Any]:
    """Return an EMA that looks back over ``share`` of the training.

    Windows of about 1 % of the steps are near the best (Ajroldi et al. 2025, arXiv:2502.06761).
    """
    return {"name": "EMA", "decay": round(min(0.999, max(0.5, 1 - 1 / max(1.0, share * steps))), 5)}
