"""Noise on the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.devices import exact
from temperance.core.leaves import Leaves
from temperance.core.random import fold, normal
from temperance.core.regularizer import Context, Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class GradientNoise(Regularizer):
    """Add normal noise to the gradient, less and less as training goes on.

        g ← g + N(0, σₜ²),  σₜ = σ·(1 + t)^(−decay/2) at step t

    The paper's η is σ².

    Stage: gradient (noise: after every pass, before clipping).  Cost: one draw per parameter.
    Strengths: std σ in [1e-5, 2], neutral 0, log, stronger = up.
    Shapes: any.
    Use when: very deep plain nets that are hard to start.  Avoid when: batches are small already; the optimizer
    divides by the gradient's size (Adam makes the noise as large as the signal).

    Args:
        std: standard deviation σ at the first step.
        decay: how fast the variance falls.

    Raises:
        SettingError: σ or the decay outside its range.

    Example:
        >>> GradientNoise(0.1, decay=0.0).to_dict()
        {'name': 'GradientNoise', 'std': 0.1, 'decay': 0.0}

    References: Neelakantan et al. (2015), arXiv:1511.06807, section 3, eq. 1.

    """

    std: float = 0.1
    decay: float = 0.55

    strengths: ClassVar[dict[str, Strength]] = {
        "std": Strength(0.1, low=1e-5, high=2.0, neutral=0.0, scale="log", words="size of the noise on the gradient")
    }
    family: ClassVar[str] = "flatness"
    rank: ClassVar[Rank] = Rank.NOISE
    effect: ClassVar[Effect] = {"std": ("departure", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("noise on gradients",)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "neelakantan2015", "Neelakantan et al.", 2015,
            "Adding gradient noise improves learning for very deep networks", "", "1511.06807", "section 3",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay <= 4:
            raise SettingError(
                f"GradientNoise got decay={self.decay!r}", "decay lies between 0 and 4", "0.55 is the default"
            )

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Return the count of steps: a number in solo, a tensor elsewhere."""
        return {"step": 0 if params.owned else torch.zeros((), dtype=exact(context.device), device=context.device)}

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Add noise to what ``inner`` gives."""
        address = strengths.address

        def noisy(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, passed = inner(params, buffers, batch, key)
            step = memory["step"]
            passed = passed.remember(address, step=step + 1)
            if strengths.is_off("std"):
                return grads, passed
            own = fold(key, address)
            size = strengths.number("std") * (1.0 + step) ** (-self.decay / 2)
            if not grads.owned or isinstance(size, Tensor):
                noise = [normal(fold(own, i), g.shape, g.device, g.dtype) for i, g in enumerate(grads.tensors)]
                return grads.add_(grads.like(noise), size), passed
            with torch.no_grad():  # leaf by leaf, so that the noise of one leaf is all that lies about
                for i, g in enumerate(grads.tensors):
                    g.add_(normal(fold(own, i), g.shape, g.device, g.dtype), alpha=size)
            return grads, passed

        return noisy
