"""The strengths that are compared, and the rules that move them."""

from __future__ import annotations

from benchmarks.headroom.cells import Family

from temperance import (
    EMA, L2SP, Constraint, Curriculum, Dropout, FeatureNoise, GapFeedback, LabelSmoothing, MixUp, Only, RandomCrop,
    Recipe, WeightDecay,
)  # fmt: skip
from temperance.control.base import Controller
from temperance.core.regularizer import Regularizer
from temperance.models.defaults import recipes_for
from temperance.study.search.portfolio import average

DEFAULT = "default"
KEEP_OLD = "constraint: old loss kept"  # the one rule that reads held-out rows of the task before


def _base(numbers: bool) -> tuple[float, float]:
    medium = recipes_for("regression" if numbers else "multiclass")[1]
    return medium.dropout, medium.weight_decay


def made(
    p: float, decay: float, *more: Regularizer, controller: Controller | None = None
) -> Recipe:
    """Return dropout, decay and what comes beside them; what is 0 is left out unless a controller may raise it."""
    parts: list[Regularizer] = [Dropout(p)] if p or controller else []
    parts += [WeightDecay(decay)] if decay or controller else []
    return Recipe(*parts, *more, controller=controller) if controller else Recipe(*parts, *more)


def strengths(family: Family, *, numbers: bool) -> dict[str, Recipe]:
    """Return twelve strengths by name: the default, one technique moved at a time, nothing, and all strong."""
    p, w = _base(numbers)
    found = {DEFAULT: made(p, w), "nothing": made(0, 0)}
    found |= {f"dropout {v}": made(v, w) for v in ((0.15, 0.3, 0.5) if numbers else (0.25, 0.5))}
    found |= {f"decay {v}": made(p, v) for v in ((0.2, 1, 5) if numbers else (1, 5))}
    if family == "transfer":
        found |= {f"l2sp {v}": made(p, 0, L2SP(v)) for v in (0.1, 1.0, 3.0, 10.0)}
        return found | {"smoothing 0.1": made(p, w, LabelSmoothing(0.1)), "mixing 0.2": made(p, w, MixUp(0.2))}
    found |= {f"mixing {v}": made(p, w, MixUp(v)) for v in (0.2, 1.0)}
    if numbers:
        found["noise 0.1"] = made(p, w, FeatureNoise(0.1))
        found["noise 0.3"] = made(p, w, FeatureNoise(0.3))
        return found
    found |= {f"smoothing {v}": made(p, w, LabelSmoothing(v)) for v in (0.1, 0.3)}
    if family == "image":
        found["shifts 0.1"] = made(p, w, RandomCrop(0.1))
        found["shifts 0.2"] = made(p, w, RandomCrop(0.2))
    else:
        found["noise 0.3"] = made(p, w, FeatureNoise(0.3))
        found["strong"] = made(0.5, 5, LabelSmoothing(0.1))
    return found


def rules(family: Family, *, numbers: bool, old_loss: float, steps: int) -> dict[str, Recipe]:
    """Return the recipes whose strengths move, and EMA beside them."""
    p, w = _base(numbers)
    hold = Constraint(0.1, ki=0.5, space="log")
    found = {
        "gap feedback": made(p, w, controller=GapFeedback()),
        "gap feedback, best gap": made(p, w, controller=GapFeedback(reference="best")),
        "constraint: gap at most 0.1": made(p, w, controller=hold),
        "curriculum": made(p, w, controller=Curriculum()),
        "gap feedback from strong": made(0.5, 1 if numbers else 5, controller=GapFeedback()),
        "EMA": made(p, w, EMA(average(steps)["decay"])),
    }
    if family == "transfer":
        keep = Constraint(old_loss + 0.1, ki=0.5, space="log", signal="valid_loss")
        found[KEEP_OLD] = Recipe(Dropout(p), L2SP(0.1), controller=Only(keep, "l2_sp.rate"))
    return found
