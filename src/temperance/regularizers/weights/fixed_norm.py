"""Fixed weight norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from temperance.control.strength import Strength
from temperance.core.kit.weights import each_norm, places_of, present, require_matrices
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class FixedNorm(Regularizer):
    """Bring each matrix back to its starting norm after every step.

        w ← w·(1 + s·(r·‖w₀‖/‖w‖ − 1)) after the optimizer's step; s = 1 holds the norm exactly

    Stage: update (project, after the optimizer).  Cost: one norm per matrix.
    Strengths: pull s in [0, 1], neutral 0, linear, stronger = up.
    Shapes: any; one norm per matrix; biases, norms and embeddings are left alone.
    Use when: normalized layers, where only the direction of a matrix counts and the learning rate shall keep its
    meaning.  Avoid when: layers are not normalized and must grow.

    Args:
        pull: s, the share of the way back that is taken.
        target: r, the norm as a multiple of the starting norm.

    Raises:
        SettingError: s outside its range, or a target that is not above 0.
        RecipeError: there is no weight matrix.

    Example:
        >>> FixedNorm()
        FixedNorm()

    References: Kosson, Messmer and Jaggi (2024), arXiv:2305.17212, section 5.

    """

    pull: float = 1.0
    target: float = 1.0

    strengths: ClassVar[dict[str, Strength]] = {
        "pull": Strength(1.0, low=0.0, high=1.0, neutral=0.0, words="how exactly the size of the weights is held")
    }
    family: ClassVar[str] = "weights"
    rank: ClassVar[Rank] = Rank.PROJECT
    effect: ClassVar[Effect] = {"pull": ("departure", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("sets norms",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("averages", "order", "norms are set before the average is taken", "The average sees the weights as set"),
        Rule("decays", "refuse", "a norm that is held fast cannot decay", "Keep one of them"),
        Rule("sets norms", "refuse", "both decide on the norm of a matrix", "Keep one of them"),
    )
    by_weight: ClassVar[frozenset[str]] = frozenset({"goal"})
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "kosson2024",
            "Kosson, Messmer, Jaggi",
            2024,
            "Rotational equilibrium: how weight decay balances learning across neural networks",
            "ICML",
            "2305.17212",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.target < float("inf"):
            raise SettingError(f"FixedNorm got target={self.target!r}", "it is above 0", "1 keeps the start")

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a model without any matrix."""
        require_matrices(context.model, "FixedNorm")

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the weights that are held."""
        return require_matrices(context.model, "FixedNorm")

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Remember the norms to hold."""
        return {"goal": self.target * each_norm(params.part(require_matrices(context.model, "FixedNorm"))).detach()}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then rescale."""
        planned: tuple[str, ...] = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params, names = inner(params, grads, rate), present(grads, planned)
            if not names or strengths.is_off("pull"):
                return params
            goal = memory["goal"] if len(names) == len(planned) else memory["goal"][places_of(names, planned)]
            with torch.no_grad():
                norm = each_norm(params.part(names)).clamp_min(1e-30)
                factors = goal / norm
                if not strengths.is_off("pull", 1.0):  # else the whole way
                    factors = 1.0 + strengths["pull"] * (factors - 1.0)
                return params.mul_(list(factors.unbind()), only=names)

        return step
