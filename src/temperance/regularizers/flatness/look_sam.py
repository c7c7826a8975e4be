"""Sharpness-aware minimization with a second pass only every k steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError

_TINY = 1e-12


@techniques.add
@dataclass(frozen=True, repr=False)
class LookSAM(Regularizer):
    """Do SAM every k steps and reuse what it added to the gradient in between.

        every k-th step:  g = ∇L(w),  h = ∇L(w + ρ·g / ‖g‖),  v = h − (h·g / ‖g‖²)·g,  step with h
        other steps:      step with g + α·(‖g‖ / ‖v‖)·v

    k = 1 is SAM. On the other steps the gradient is at most 1 + α times as long as the plain one.

    Stage: gradient (ascend).  Cost: 1 + 1/k passes a step (2 in a population, whose members step as one), one
    temporary copy of the weights and one kept direction.
    Strengths: rho in [1e-4, 2], neutral 0, log, stronger = up.
    Shapes: any.
    Use when: SAM helps and is too slow.  Avoid when: batches differ so much that v is stale: on few rows it ended in
    sharper places than plain SGD (measured, see the card).

    Args:
        rho: radius ρ.
        every: k, steps from one second pass to the next.
        alpha: weight α of the reused direction.

    Raises:
        SettingError: ρ, k or α outside its range.

    Example:
        >>> LookSAM(every=5).cost.backwards
        1.2

    References: Liu et al. (2022), arXiv:2203.02714, section 3.2, algorithm 1. Written from the paper: its repository
    holds no code.

    """

    rho: float = 0.05
    every: int = 5
    alpha: float = 0.7

    strengths: ClassVar[dict[str, Strength]] = {
        "rho": Strength(
            0.05, low=1e-4, high=2.0, neutral=0.0, scale="log", words="how far uphill the gradient is taken"
        )
    }
    family: ClassVar[str] = "flatness"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.ASCEND
    effect: ClassVar[Effect] = {"rho": ("departure", "up")}
    cost: ClassVar[Cost] = Cost(forwards=1.2, backwards=1.2, copies=2, note="1 + 1/k on average")
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("ascends",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "refuse", "two techniques would move the weights uphill", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "liu2022looksam", "Liu et al.", 2022, "Towards efficient and scalable sharpness-aware minimization",
            "CVPR", "2203.02714", "section 3.2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.every, int) and self.every >= 1):
            raise SettingError(
                f"LookSAM got every={self.every!r}", "every is a whole number from 1", "5 is the default"
            )
        if not 0 <= self.alpha <= 2:
            raise SettingError(f"LookSAM got alpha={self.alpha!r}", "alpha lies between 0 and 2", "0.7 is the default")
        passes = 1 + 1 / self.every
        cost = Cost(forwards=passes, backwards=passes, copies=2, note="1 + 1/k on average")
        object.__setattr__(self, "cost", cost)  # the class attribute is that of the default k

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return one per rhythm that fits a short run."""
        return (cls(every=2), cls(every=3), cls(every=1))

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Return the count of steps: a number in solo (no look at the device), a tensor elsewhere."""
        return {"step": 0 if params.owned else torch.zeros((), dtype=torch.int64, device=context.device)}

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Evaluate the gradient once, every k steps twice."""

        def look(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, first = inner(params, buffers, batch, key)
            address, step = strengths.address, memory["step"]
            first = first.remember(address, step=step + 1)
            if strengths.is_off("rho"):
                return grads, first
            kept: Leaves | None = memory.get("across")
            if kept is None or kept.names != grads.names:
                kept = grads.map(torch.zeros_like)
            if isinstance(step, int):
                if step % self.every:
                    return self._reuse(grads, kept, 1.0), first
                steep = _steep(inner, params, first, batch, key, grads, strengths["rho"])
                return steep, first.remember(address, across=_across(steep, grads))
            due = (step % self.every == 0).to(grads.norm().dtype)
            on = (strengths["rho"] > 0).to(due.dtype)
            steep = _steep(inner, params, first, batch, key, grads, strengths["rho"] * due)
            across = _across(steep, grads).mul_(due * on).add_(kept, (1 - due) * on)
            reused = self._reuse(grads, kept, on)
            return steep.mul_(due).add_(reused, 1 - due), first.remember(address, across=across)

        return look

    def _reuse(self, grads: Leaves, across: Leaves, on: Tensor | float) -> Leaves:
        size = across.norm()
        factor = torch.where(size > _TINY, self.alpha * on * grads.norm() / size.clamp_min(_TINY), 0.0)
        return grads.add_(across, factor)


def _steep(inner: Gradient, params: Leaves, first: Pass, batch: Any, key: Any, grads: Leaves, rho: Tensor) -> Leaves:
    moved = params.part(grads.names).add(grads, rho / (grads.norm() + _TINY))
    if moved.names != params.names:
        moved = Leaves.of({**params, **moved})
    return inner(moved, first.buffers, batch, key)[0]


def _across(steep: Leaves, grads: Leaves) -> Leaves:
    """Return the part of ``steep`` that is orthogonal to ``grads``."""
    across = steep.add(grads, -steep.dot(grads) / (grads.norm() ** 2 + _TINY))
    return across.like(across.tensors, owned=steep.owned)
