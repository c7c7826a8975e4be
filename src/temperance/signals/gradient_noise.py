"""The gradient noise scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from temperance.core.leaves import Leaves
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class GradientNoise(Signal):
    """Estimate how noisy the gradient is, from the kept training batches and from all of them together.

        |G|² ≈ (B·|g_B|² − b·|g_b|²) / (B − b),  tr Σ ≈ (|g_b|² − |g_B|²) / (1/b − 1/B)
        gradient_noise = tr Σ / |G|², in examples

    g_b: gradient of one batch of b examples (squared norms averaged over the batches), g_B: of all B together.
    NaN with fewer than two batches, and where |G|² is not positive (the model interpolates, or the noise drowns it).
    Source: McCandlish et al. (2018), arXiv:1812.06162, appendix A.1.
    """

    gives: ClassVar[tuple[str, ...]] = ("gradient_noise",)
    price: ClassVar[str] = "one forward and backward pass over each kept training batch"
    needs_valid: ClassVar[bool] = False

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the scale."""
        sizes = [batch.size for batch in probe.train]
        if len(sizes) < 2:
            return {"gradient_noise": math.nan}
        grads = [probe.gradient(batch) for batch in probe.train]
        return {"gradient_noise": noise_scale(grads, sizes)}


def noise_scale(grads: list[Leaves], sizes: list[int]) -> float:
    """Return tr Σ / |G|² from the mean gradients of batches with these sizes; NaN where it is not defined."""
    large = sum(sizes)
    whole = grads[0].mul_(1.0) if not grads[0].owned else grads[0].clone()
    whole = whole.mul_(sizes[0] / large)
    for grad, size in zip(grads[1:], sizes[1:], strict=True):
        whole = whole.add_(grad, size / large)
    small = len(sizes) / sum(1 / size for size in sizes)  # harmonic mean: E|g_b|² = |G|² + tr Σ · mean(1/b)
    squares = sum(float(grad.norm()) ** 2 for grad in grads) / len(grads)
    total = float(whole.norm()) ** 2
    if large == small:
        return math.nan
    signal = (large * total - small * squares) / (large - small)
    noise = (squares - total) / (1 / small - 1 / large)
    return noise / signal if signal > 0 and noise >= 0 else math.nan
