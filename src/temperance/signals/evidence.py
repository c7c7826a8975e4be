"""Whether the gradient is more than noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from temperance.control.base import require
from temperance.core.batch import Batch, map_leaves
from temperance.core.devices import widened
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class Evidence(Signal):
    """Compare the gradient of some training rows with its own sampling error, weight by weight.

        evidence = 1 − (b/D) Σₖ Gₖ² / Varₖ,  Gₖ = mean over b rows, Varₖ = their sample variance (b − 1)

    Negative while the gradient carries a signal; its expected value is about 0 where the true gradient is zero.
    Weights without variance (dead units) are left out of the D. ``StopAbove(signal="evidence")`` stops above 0.

    Args:
        rows: most rows used, from the kept training batches.
        every: read at every so-manieth validation.

    Source: Mahsereci et al. (2017), arXiv:1703.09580, eq. 9.

    """

    rows: int = 64
    every: int = 1

    gives: ClassVar[tuple[str, ...]] = ("evidence",)
    price: ClassVar[str] = "one forward and backward pass for each of up to 64 single rows"
    needs_valid: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require("Evidence", "rows", self.rows, 2, 1_000_000, whole=True)
        require("Evidence", "every", self.every, 1, 1_000_000, whole=True)

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the criterion; NaN with fewer than two rows."""
        count, mean, squares = 0, torch.zeros(()), torch.zeros(())
        for batch in probe.train:
            for i in range(min(batch.size, self.rows - count)):
                one = torch.cat([widened(t).flatten() for t in probe.gradient(row(batch, i)).tensors])
                count += 1
                before, mean = mean, mean + (one - mean) / count
                squares = squares + (one - before) * (one - mean)
        return {"evidence": evidence(mean, squares / (count - 1), count) if count > 1 else math.nan}


def evidence(mean: Tensor, variance: Tensor, count: int) -> float:
    """Return 1 − (b/D) Σ G²/Var over the weights with variance; NaN where there are none.

    Shapes: mean and variance (D,).
    """
    alive = variance > 0
    if not bool(alive.any()):
        return math.nan
    return 1 - count * float((mean[alive] ** 2 / variance[alive]).mean())


def row(batch: Batch, i: int) -> Batch:
    """Return row i as a batch of one."""
    inputs = map_leaves(lambda x: x[i : i + 1], batch.inputs)
    targets = map_leaves(lambda x: x[i : i + 1], batch.targets)
    return Batch(inputs, targets)
