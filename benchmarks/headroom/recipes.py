"""The strengths that are compared, and the rules that move them."""

from __future__ import annotations

from benchmarks.headroom.cells import Family

from temperance import (
    EMA,
    L2SP,
    Constraint,
    Curriculum,
    Dropout,
    FeatureNoise,
    GapFeedback,
    LabelSmoothing,
    MixUp,
    Only,
    RandomCrop,
    Recipe,
    WeightDecay,
)  # fmt: skip
from temperance.control.base import Controller
from temperance.core.regularizer import Regularizer
from temperance.models.defaults import recipes_for
from temperance.study.search.portfolio import average

DEFAULT, STRONG = "default", "strong"
KEEP_OLD = "constraint: old loss kept"  # the one rule that reads held-out rows of the task before


def _base(numbers: bool) -> tuple[float, float]:
    medium = recipes_for("regression" if numbers else "multiclass")[1]
    return medium.dropout, medium.weight_decay


def made(p: float, decay: float, *more: Regularizer, controller: Controller | None = None) -> Recipe:
    """Return dropout, decay and what comes beside them; what is 0 is left out unless a controller may raise it."""
    parts: list[Regularizer] = [Dropout(p)] if p or controller else []
    parts += [WeightDecay(decay)] if decay or controller else []
    return Recipe(*parts, *more, controller=controller) if controller else Recipe(*parts, *more)


def strengths(family: Family, *, numbers: bool) -> dict[str, Recipe]:
    """Return nine strengths by name: the default, one technique moved at a time, nothing, and all strong."""
    p, w = _base(numbers)
    found = {DEFAULT: made(p, w), "nothing": made(0, 0)}
    if family == "transfer":
        found |= {"dropout 0.5": made(0.5, w), "decay 5": made(p, 5)}
        found |= {f"l2sp {v:g}": made(p, 0, L2SP(v)) for v in (0.1, 1.0, 10.0)}
        return found | {"smoothing 0.2": made(p, w, LabelSmoothing(0.2)), "mixing 0.4": made(p, w, MixUp(0.4))}
    found["mixing 0.4"] = made(p, w, MixUp(0.4))
    if numbers:
        found |= {f"dropout {v}": made(v, w) for v in (0.15, 0.3)} | {f"decay {v:g}": made(p, v) for v in (0.2, 2)}
        return found | {"noise 0.1": made(p, w, FeatureNoise(0.1)), STRONG: made(0.5, 1)}
    found |= {f"dropout {v}": made(v, w) for v in (0.25, 0.5)} | {"decay 5": made(p, 5)}
    found["smoothing 0.2"] = made(p, w, LabelSmoothing(0.2))
    moved = {"shifts 0.1": RandomCrop(0.1)} if family == "image" else {"noise 0.3": FeatureNoise(0.3)}
    return found | {name: made(p, w, one) for name, one in moved.items()} | {STRONG: made(0.5, 5)}


def rules(family: Family, *, numbers: bool, noisy: bool, old_loss: float, steps: int) -> dict[str, Recipe]:
    """Return the recipes whose strengths move, and EMA beside them; one of them begins at the strong end."""
    p, w = _base(numbers)
    found = {
        "gap feedback": made(p, w, controller=GapFeedback()),
        "constraint: gap at most 0.1": made(p, w, controller=Constraint(0.1, ki=0.5, space="log")),
        "curriculum": made(p, w, controller=Curriculum()),
        "EMA": made(p, w, EMA(average(steps)["decay"])),
    }
    if noisy:  # what its page advises where labels are wrong
        found["gap feedback, best gap"] = made(p, w, controller=GapFeedback(reference="best"))
    if family == "transfer":
        keep = Constraint(old_loss + 0.1, ki=0.5, space="log", signal="valid_loss")
        return found | {KEEP_OLD: Recipe(Dropout(p), L2SP(0.1), controller=Only(keep, "l2_sp.rate"))}
    return found | {"gap feedback from strong": made(0.5, 1 if numbers else 5, controller=GapFeedback())}
