"""Friendly sharpness-aware minimization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class FriendlySAM(Regularizer):
    """Do SAM uphill along what is special to the batch, and leave out what all batches share.

        d = g − σ·m,  m ← λ·m + (1 − λ)·g  (d = m = g at the first step)
        e = ρ·d / ‖d‖,  step with ∇L(w + e)

    σ = 0 is SAM.

    Stage: gradient (ascend).  Cost: two passes a step, a temporary copy of the weights, a kept average of gradients.
    Strengths: rho in [1e-4, 2], neutral 0, log, stronger = up.
    Shapes: any.
    Use when: SAM helps and batches are small or noisy.  Avoid when: time or memory is short.

    Args:
        rho: radius ρ.
        sigma: share σ of the average that is taken off.
        decay: memory λ of the average.

    Raises:
        SettingError: ρ, σ or λ outside its range.

    Example:
        >>> FriendlySAM(0.2, decay=0.6).to_dict()
        {'name': 'FriendlySAM', 'rho': 0.2, 'sigma': 1.0, 'decay': 0.6}

    References: Li et al. (2024), arXiv:2403.12350, section 4.1, algorithm 1.

    """

    rho: float = 0.05
    sigma: float = 1.0
    decay: float = 0.9

    strengths: ClassVar[dict[str, Strength]] = {
        "rho": Strength(
            0.05, low=1e-4, high=2.0, neutral=0.0, scale="log", words="how far uphill the gradient is taken"
        )
    }
    family: ClassVar[str] = "flatness"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.ASCEND
    effect: ClassVar[Effect] = {"rho": ("departure", "up")}
    cost: ClassVar[Cost] = Cost(forwards=2, backwards=2, copies=2)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("ascends",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "refuse", "two techniques would move the weights uphill", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "li2024fsam", "Li et al.", 2024, "Friendly sharpness-aware minimization", "CVPR", "2403.12350",
            "section 4.1",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, high in (("sigma", 2.0), ("decay", 0.9999)):
            value = getattr(self, name)
            if not 0 <= value <= high:
                raise SettingError(
                    f"FriendlySAM got {name}={value!r}", f"{name} lies between 0 and {high:g}", "Choose one in range"
                )

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Evaluate the gradient twice; the average moves on with the first one."""

        def ascend(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, first = inner(params, buffers, batch, key)
            shared: Leaves | None = memory.get("shared")
            known = shared is not None and shared.names == grads.names
            new = shared.lerp(grads, 1 - self.decay) if known and shared is not None else grads.clone()
            first = first.remember(strengths.address, shared=new)
            if strengths.is_off("rho"):
                return grads, first
            special = grads.add(shared, -self.sigma) if known and shared is not None and self.sigma else grads
            base = params.part(grads.names)
            moved = base.add(special, strengths["rho"] / (special.norm() + 1e-12))
            if moved.names != params.names:
                moved = Leaves.of({**params, **moved})
            del grads, special, base
            steep, _ = inner(moved, first.buffers, batch, key)
            return steep, first

        return ascend
