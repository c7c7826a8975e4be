"""Max-norm constraint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.kit.weights import present, require_matrices
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class MaxNorm(Regularizer):
    """Bound the weights that lead into each unit.

        after the optimizer's step, for each unit j:  w_j ← w_j·min(1, c/‖w_j‖)

    Stage: update (project, after the optimizer).  Cost: one norm per unit.
    Strengths: norm c in [1e-2, 1e3], neutral ∞, log, stronger = down.
    Shapes: (o, …) → one norm per output o; biases, norms and embeddings are left alone.
    Use when: large learning rates beside dropout.  Avoid when: normalized layers (their scale does not count).

    Args:
        norm: largest norm c.

    Raises:
        SettingError: c outside its range.
        RecipeError: there is no weight matrix.

    Example:
        >>> MaxNorm(2.0)
        MaxNorm(norm=2.0)

    References: Srebro and Shraibman (2005), COLT; Srivastava et al. (2014), JMLR 15, section 5.1.

    """

    norm: float = 3.0

    strengths: ClassVar[dict[str, Strength]] = {
        "norm": Strength(
            3.0,
            low=1e-2,
            high=1e3,
            neutral=float("inf"),
            scale="log",
            stronger="down",
            words="how large the weights into a unit may become",
        )
    }
    family: ClassVar[str] = "weights"
    rank: ClassVar[Rank] = Rank.PROJECT
    effect: ClassVar[Effect] = {"norm": ("weight_size", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("sets norms",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("averages", "order", "norms are set before the average is taken", "The average sees the weights as set"),
        Rule("sets norms", "refuse", "both decide on the norm of a matrix", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("srebro2005", "Srebro, Shraibman", 2005, "Rank, trace-norm and max-norm", "COLT"),
        Citation(
            "srivastava2014",
            "Srivastava et al.",
            2014,
            "Dropout: a simple way to prevent neural networks from overfitting",
            "JMLR 15",
        ),
    )

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a model without any matrix."""
        require_matrices(context.model, "MaxNorm")

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the bounded weights."""
        return require_matrices(context.model, "MaxNorm")

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then bound."""
        planned: tuple[str, ...] = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params, names = inner(params, grads, rate), present(grads, planned)
            if not names or strengths.is_off("norm", float("inf")):
                return params
            with torch.no_grad():
                factors = [factor(w, strengths["norm"]) for w in params.part(names).tensors]
                return params.mul_(factors, only=names)

        return step


def factor(w: Tensor, limit: Tensor) -> Tensor:
    """Return what brings every output's norm to at most ``limit``; shapes (o, …), () → (o, 1, …)."""
    norm: Tensor = torch.linalg.vector_norm(w, dim=list(range(1, w.dim())), keepdim=True)
    return (limit / norm).clamp_max(1.0)  # no weights at all: ∞, so 1
