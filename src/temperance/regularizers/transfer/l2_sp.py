"""L2 penalty towards the starting point."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from temperance.control.strength import Strength
from temperance.core.kit.weights import present, rates, rebuild
from temperance.core.leaves import Leaves
from temperance.core.policy import reason_kept
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import RecipeError, SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class L2SP(Regularizer):
    """Hold weights near those that fine-tuning starts from.

        penalty α/2·‖w − w₀‖² for old weights, s·α/2·‖w‖² for new ones, taken decoupled from the optimizer:
        w ← w − η·α·(w − w₀),  new: w ← (1 − η·α·s)·w,  then the optimizer's step

    Under plain SGD this is the published penalty. w₀ are the weights at attach: load the pretrained ones before.

    Stage: update (before the optimizer).  Cost: one copy of the weights.
    Strengths: rate α in [1e-6, 10], neutral 0, log, stronger = up.
    Shapes: any; all trained weights but those of normalization layers.
    Use when: few examples and a pretrained net for a related task.
    Avoid when: the tasks are far apart (it then costs accuracy), or training from scratch.

    Args:
        rate: coefficient α.
        new: shell pattern of parameter names that are not pretrained, e.g. ``"head.*"``.
        share: s, how strongly new weights decay, as a share of α.

    Raises:
        SettingError: α or s outside its range.
        RecipeError: the pattern matches no parameter.

    Example:
        >>> L2SP(0.1, new="head.*")
        L2SP(new='head.*')

    References: Li, Grandvalet and Davoine (2018), arXiv:1802.01483, eq. 5.

    """

    rate: float = 0.1
    new: str | None = None
    share: float = 0.1

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            0.1, low=1e-6, high=10.0, neutral=0.0, scale="log", words="how firmly the starting weights are held"
        )
    }
    family: ClassVar[str] = "transfer"
    rank: ClassVar[Rank] = Rank.DECAY
    effect: ClassVar[Effect] = {"rate": ("travel", "down")}
    cost: ClassVar[Cost] = Cost(copies=1)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("anchors",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("decays", "warn", "one pulls to zero, the other to the starting weights", "Leave the decay out"),
        Rule("anchors", "refuse", "both hold on to the starting weights", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "li2018",
            "Li, Grandvalet, Davoine",
            2018,
            "Explicit inductive bias for transfer learning with convolutional networks",
            "ICML",
            "1802.01483",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share < float("inf"):
            raise SettingError(f"L2SP got share={self.share!r}", "it is 0 or above", "0.1 is the default")

    def plan(self, context: Context) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of the weights that are held, and of the new ones."""
        return anchored(context.model, self.new, "L2SP")

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Remember the starting weights."""
        return {"anchor": params.part(self.plan(context)[0]).clone()}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Pull, then step."""
        anchored_all, fresh_all = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            if not strengths.is_off("rate"):
                held, fresh = present(grads, anchored_all), present(grads, fresh_all)
                if held:
                    pulls = [eta * strengths.number("rate") for eta in rates(params, rate, held)]
                    params = pull(params, memory["anchor"].part(held), pulls, held)
                if fresh:
                    shares = [eta * strengths.number("rate") * self.share for eta in rates(params, rate, fresh)]
                    params = params.mul_([1.0 - s for s in shares], only=fresh)
            return inner(params, grads, rate)

        return step


def pull(params: Leaves, anchor: Leaves, shares: list[Any], names: tuple[str, ...]) -> Leaves:
    """Return the leaves with w − share·(w − w₀) in place of ``names``; solo with one share needs no temporary."""
    part = params.part(names)
    if params.owned and all(share is shares[0] or share == shares[0] for share in shares):
        part.lerp_(anchor, shares[0])
        return params
    return rebuild(params, names, lambda i, w: w - shares[i] * (w - anchor.tensors[i]))


def anchored(model: nn.Module, new: str | None, owner: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of pretrained weights and of new ones, without those of normalization layers.

    Raises:
        RecipeError: nothing is pretrained, or the pattern matches nothing.

    """
    kept = ("normalization", "its module opted out")
    names = [name for name, reason in reason_kept(model).items() if reason not in kept]
    fresh = tuple(name for name in names if new is not None and fnmatch.fnmatchcase(name, new))
    held = tuple(name for name in names if name not in fresh)
    if not held or (new is not None and not fresh):
        raise RecipeError(
            f"{owner}(new={new!r}) finds {len(held)} pretrained and {len(fresh)} new parameters",
            f"names are like {', '.join(names[:6])}",
            "Give a pattern such as 'head.*' that fits some of them",
        )
    return held, fresh
