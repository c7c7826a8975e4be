"""The largest eigenvalue of the loss' Hessian."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

from temperance.control.base import require
from temperance.core.leaves import Leaves
from temperance.core.random import fold, normal
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class Curvature(Signal):
    """Find the largest eigenvalue of the Hessian of the loss over the kept training batches by power iteration.

        v ← Hv/‖Hv‖, λ = vᵀHv, until λ changes by less than ``tolerance``;  where λ < 0: again with H − λI, plus λ

    Args:
        iterations: most Hessian products of one power iteration.
        tolerance: relative change of λ at which it stops.
        every: read at every so-manieth validation.

    Source: Yao et al. (2020), arXiv:1912.07145, section III; the shift is textbook.

    """

    iterations: int = 20
    tolerance: float = 1e-3
    every: int = 5

    gives: ClassVar[tuple[str, ...]] = ("lambda_max",)
    price: ClassVar[str] = "up to 20 Hessian products (two backward passes each) over each kept training batch"
    needs_valid: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require("Curvature", "iterations", self.iterations, 1, 100_000, whole=True)
        require("Curvature", "tolerance", self.tolerance, 0.0, 1.0)
        require("Curvature", "every", self.every, 1, 1_000_000, whole=True)

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the eigenvalue; NaN without batches."""
        if not probe.train:
            return {"lambda_max": math.nan}
        total = sum(batch.size for batch in probe.train)

        def product(v: Leaves) -> Leaves:
            parts = [probe.product(batch, v).mul_(batch.size / total) for batch in probe.train]
            return reduce(lambda a, b: a.add_(b), parts)

        return {"lambda_max": largest(product, probe.params, self.iterations, self.tolerance)}


def largest(product: Callable[[Leaves], Leaves], like: Leaves, iterations: int, tolerance: float) -> float:
    """Return the algebraically largest eigenvalue of a symmetric ``product`` on leaves shaped as ``like``."""
    found = _power(product, like, 0.0, iterations, tolerance)
    if found >= 0 or math.isnan(found):
        return found
    return found + _power(product, like, found, iterations, tolerance)


def _power(product: Callable[[Leaves], Leaves], like: Leaves, shift: float, iterations: int, tolerance: float) -> float:
    """Return the eigenvalue of H − shift·I that is largest in size."""
    start = [normal(fold(0, "curvature", name), t.shape, t.device, t.dtype) for name, t in like.items()]
    v = Leaves(like.names, start, owned=True)
    v, value = v.mul_(1 / float(v.norm())), math.nan
    for _ in range(iterations):
        moved = product(v)
        moved = moved if shift == 0 else moved.add_(v, -shift)
        before, value, size = value, float(moved.dot(v)), float(moved.norm())
        if not (math.isfinite(size) and size > 0):
            return 0.0 if size == 0 else math.nan
        v = moved.mul_(1 / size)
        if abs(value - before) <= tolerance * abs(value):
            break
    return value
