"""Surrogate-gap guided sharpness-aware minimization."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost

_TINY = 1e-12


@techniques.add
@dataclass(frozen=True, repr=False)
class GSAM(Regularizer):
    """Do SAM and also close the gap between the loss uphill and the loss here, without raising the former.

        g = ∇L(w),  h = ∇L(w + ρ·g / ‖g‖),  step with h − α·(g − (g·h / ‖h‖²)·h)

    α = 0 is SAM. The authors let ρ follow the learning rate: use the controller ``LikeRate`` on ``gsam.rho``.

    Stage: gradient (ascend).  Cost: two passes a step, one temporary copy of the weights and one of the gradient.
    Strengths: rho in [1e-4, 2], neutral 0, log, stronger = up; alpha in [0, 1], neutral 0, linear, stronger = up.
    Shapes: any.
    Use when: SAM helps and there is time to tune one more number.  Avoid when: time is short.

    Args:
        rho: radius ρ.
        alpha: weight α of the part of g that is orthogonal to h.

    Raises:
        SettingError: ρ or α outside its range.

    Example:
        >>> GSAM(0.1, alpha=0.2).to_dict()
        {'name': 'GSAM', 'rho': 0.1, 'alpha': 0.2}

    References: Zhuang et al. (2022), arXiv:2203.08065, section 4, algorithm 1.

    """

    rho: float = 0.05
    alpha: float = 0.4

    strengths: ClassVar[dict[str, Strength]] = {
        "rho": Strength(
            0.05, low=1e-4, high=2.0, neutral=0.0, scale="log", words="how far uphill the gradient is taken"
        ),
        "alpha": Strength(
            0.4, low=0.0, high=1.0, neutral=0.0, adaptive=False, words="how hard the gap to the loss uphill is closed"
        ),
    }
    family: ClassVar[str] = "flatness"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.ASCEND
    effect: ClassVar[Effect] = {"rho": ("departure", "up"), "alpha": ("departure", "up")}
    cost: ClassVar[Cost] = Cost(forwards=2, backwards=2, copies=2)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("ascends",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "refuse", "two techniques would move the weights uphill", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "zhuang2022", "Zhuang et al.", 2022,
            "Surrogate gap minimization improves sharpness-aware training", "ICLR", "2203.08065", "section 4",
        ),
    )  # fmt: skip

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return one with a radius at which the orthogonal part is more than rounding."""
        return (cls(0.2),)

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Evaluate the gradient twice and take the orthogonal part off."""

        def ascend(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, first = inner(params, buffers, batch, key)
            if strengths.is_off("rho"):
                return grads, first
            base = params.part(grads.names)
            rho = strengths["rho"]
            moved = base.add(grads, rho / (grads.norm() + _TINY))
            if moved.names != params.names:
                moved = Leaves.of({**params, **moved})
            steep, _ = inner(moved, first.buffers, batch, key)
            if strengths.is_off("alpha"):
                return steep, first
            alpha = strengths["alpha"] * (rho > 0)
            along = grads.dot(steep) / (steep.norm() ** 2 + _TINY)
            return steep.mul_(1 + alpha * along).add_(grads, -alpha), first

        return ascend
