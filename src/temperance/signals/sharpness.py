"""How much the loss rises a small way up the gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from temperance.control.base import require
from temperance.core.batch import Batch
from temperance.core.devices import widened
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class Sharpness(Signal):
    """Climb along each kept training batch' own gradient and see by how much its loss rises (m-sharpness, m = b).

        sharpness = mean over batches of L(w + ρ·g/‖g‖) − L(w)
        adaptive: w + ρ·w²g/‖wg‖, entry by entry, which does not change when a layer is scaled against the next

    It does not stay the same under every rewriting of the net, and it does not tell how well the net does on other
    data: compare it only within one architecture.

    Args:
        rho: length of the climb, ρ.
        adaptive: scale the climb by the weights.
        every: read at every so-manieth validation.

    Source: Foret et al. (2021), arXiv:2010.01412, section 4; adaptive: Kwon et al. (2021), arXiv:2102.11600, eq. 8.

    """

    rho: float = 0.05
    adaptive: bool = False
    every: int = 1

    gives: ClassVar[tuple[str, ...]] = ("sharpness",)
    price: ClassVar[str] = "three passes over each kept training batch"
    needs_valid: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require("Sharpness", "rho", self.rho, 1e-9, 1e3)
        require("Sharpness", "every", self.every, 1, 1_000_000, whole=True)

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the mean rise; NaN without batches or where the gradient is zero."""
        rises = [self._rise(probe, batch) for batch in probe.train]
        known = [rise for rise in rises if math.isfinite(rise)]
        return {"sharpness": sum(known) / len(known) if known else math.nan}

    def _rise(self, probe: Probe, batch: Batch) -> float:
        grad = probe.gradient(batch)
        if self.adaptive:
            scaled = grad.times(probe.params.detach())
            size, way = float(scaled.norm()), scaled.times(probe.params.detach())
        else:
            size, way = float(grad.norm()), grad
        if not size > 0:
            return math.nan
        up = probe.params.detach().add(way, self.rho / size)
        weight = batch.weight
        rise = widened(probe.losses(batch, up)) - widened(probe.losses(batch, probe.params))
        return float(rise.mean() if weight is None else torch.sum(rise * weight) / weight.sum())
