"""How much the gradients of different batches disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from temperance.control.base import require
from temperance.core.devices import widened
from temperance.core.leaves import Leaves
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class GradientDisparity(Signal):
    """Average the distance between the gradients of the kept training batches, pair by pair.

        gradient_disparity = mean over i < j of ‖gᵢ − gⱼ‖₂,  gradient_coherence = mean over i < j of cos(gᵢ, gⱼ)

    With ``rescale`` each gᵢ is divided by the standard deviation of the losses in its batch, so that the numbers of
    an early and a late step compare (without it where the loss gives one number per batch, or all losses are equal).
    NaN with fewer than two batches.

    Args:
        rescale: as above.
        every: read at every so-manieth validation.

    Source: Forouzesh and Thiran (2021), arXiv:2107.06665, section 4; the rescaling is theirs in spirit, its exact
    form is ours.

    """

    rescale: bool = True
    every: int = 1

    gives: ClassVar[tuple[str, ...]] = ("gradient_disparity", "gradient_coherence")
    price: ClassVar[str] = "one forward and backward pass over each kept training batch, and one more forward pass"
    needs_valid: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require("GradientDisparity", "every", self.every, 1, 1_000_000, whole=True)

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return both means."""
        if len(probe.train) < 2:
            return {"gradient_disparity": math.nan, "gradient_coherence": math.nan}
        grads = []
        for batch in probe.train:
            grad = probe.gradient(batch)
            losses = widened(probe.losses(batch, probe.params))
            spread = float(losses.std()) if self.rescale and losses.numel() > 1 else 0.0
            grads.append(grad.mul_(1 / spread) if spread > 0 else grad)
        return disparity(grads)


def disparity(grads: list[Leaves]) -> dict[str, float]:
    """Return the mean distance and the mean cosine over all pairs; a cosine with a zero gradient is NaN."""
    pairs = list(combinations(grads, 2))
    distances = [float(a.add(b, -1.0).norm()) for a, b in pairs]
    cosines = [_ratio(float(a.dot(b)), float(a.norm()) * float(b.norm())) for a, b in pairs]
    return {
        "gradient_disparity": sum(distances) / len(pairs),
        "gradient_coherence": sum(cosines) / len(pairs),
    }


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan
