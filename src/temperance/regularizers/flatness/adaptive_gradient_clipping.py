"""Adaptive gradient clipping."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.policy import trainable
from temperance.core.regularizer import Context, Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation

_SMALLEST = 1e-3  # a unit with smaller weights counts as this long, or it could never grow


@techniques.add
@dataclass(frozen=True, repr=False)
class AdaptiveGradientClipping(Regularizer):
    """Shorten a unit's gradient where it is long for the unit's weights (AGC).

        gᵢ ← gᵢ · min(1, λ·max(‖wᵢ‖, 10⁻³) / ‖gᵢ‖)  for each unit i

    A unit is a row of a weight (all axes but the first); a bias or any vector counts as one unit. The last linear
    layer is left alone, as in the paper.

    Stage: gradient (clip, last).  Cost: two norms per parameter.
    Strengths: ratio λ in [1e-4, 10], neutral ∞, log, stronger = down.
    Shapes: weights (out, in, …); units are their first axis.
    Use when: nets without normalization, large batches or learning rates.  Avoid when: normalization layers keep the
    gradients in bounds already.

    Args:
        ratio: λ; 0.01 for batches of 1024 and more, up to 0.16 for 256.
        head: clip the last linear layer too.

    Raises:
        SettingError: λ outside its range.

    Example:
        >>> AdaptiveGradientClipping(0.08).to_dict()
        {'name': 'AdaptiveGradientClipping', 'ratio': 0.08, 'head': False}

    References: Brock et al. (2021), arXiv:2102.06171, section 4.1, eq. 3.

    """

    ratio: float = 0.05
    head: bool = False

    strengths: ClassVar[dict[str, Strength]] = {
        "ratio": Strength(
            0.05, low=1e-4, high=10.0, neutral=float("inf"), scale="log", stronger="down", adaptive=False,
            words="longest gradient allowed, per length of the unit's weights",
        )
    }  # fmt: skip
    family: ClassVar[str] = "flatness"
    takes_complex: ClassVar[bool] = False
    rank: ClassVar[Rank] = Rank.CLIP
    effect: ClassVar[Effect] = {"ratio": ("step_length", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("clips gradients",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "order", "the gradient is clipped after the move uphill", "The move itself keeps its length"),
        Rule("noise on gradients", "order", "noise comes first, then the bound", "The bound holds for the sum"),
        Rule("GradientClipping", "warn", "both shorten the gradient", "One of them is enough"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "brock2021", "Brock et al.", 2021,
            "High-performance large-scale image recognition without normalization", "ICML", "2102.06171", "section 4.1",
        ),
    )  # fmt: skip

    def plan(self, context: Context) -> frozenset[str]:
        """Return the names of the parameters that are clipped: all but the last linear layer's."""
        names = trainable(context.model)
        linear = [name for name, m in context.model.named_modules() if isinstance(m, nn.Linear)]
        if self.head or len(linear) < 2:
            return frozenset(names)
        last = f"{linear[-1]}."
        return frozenset(name for name in names if not name.startswith(last))

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Clip what ``inner`` gives, unit by unit."""
        clipped: frozenset[str] = memory.plan

        def clip(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, passed = inner(params, buffers, batch, key)
            if strengths.is_off("ratio", float("inf")):
                return grads, passed
            names = tuple(name for name in grads.names if name in clipped)
            with torch.no_grad() if grads.owned else nullcontext():
                factors = [_factor(params[name], grads[name], strengths["ratio"]) for name in names]
            return grads.mul_(factors, only=names), passed

        return clip


def _factor(weights: Tensor, grads: Tensor, ratio: Tensor) -> Tensor:
    limit = unit_norms(weights).clamp_min(_SMALLEST) * ratio.to(weights.dtype)
    return (limit / unit_norms(grads).clamp_min(1e-6)).clamp_max(1.0)


def unit_norms(t: Tensor) -> Tensor:
    """Return the norm of each unit, (out, 1, …); of the whole for a vector, ()."""
    axes = tuple(range(1, t.dim())) or None
    norms: Tensor = torch.linalg.vector_norm(t, dim=axes, keepdim=axes is not None)
    return norms
