"""How heavy the tail of the weight matrices' spectra is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from temperance.control.base import require
from temperance.core.devices import widened
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class SpectralTail(Signal):
    """Estimate the exponent of the power law that the larger eigenvalues of WᵀW follow (PL_Alpha_Hill).

        α = 1 + k / Σ_{i > n−k} ln(λᵢ / λ_{n−k}),  λ = squared singular values, ascending, k = n/2

    ``tail_exponent/<name>`` is that of one matrix, ``tail_exponent`` the mean over those that have one. A matrix with
    fewer than ``least`` eigenvalues has none: it is NaN. With ``aspect`` the matrix is cut into blocks of that ratio
    of columns to rows (after turning it so that it has at least as many columns), and α is the mean over blocks: only
    so do layers of different shape compare. A convolution counts as (out, in·h·w).

    Args:
        least: fewest eigenvalues for which the exponent means anything.
        aspect: columns over rows of the blocks, at least 1; None: the whole matrix.
        every: read at every so-manieth validation.

    Source: AlphaDecay (2025), arXiv:2506.14562, section 3; the blocks: FARMS (2025), arXiv:2506.06280.

    """

    least: int = 50
    aspect: float | None = None
    every: int = 5

    gives: ClassVar[tuple[str, ...]] = ("tail_exponent",)
    price: ClassVar[str] = "the singular values of every weight matrix (about 5 steps of a small net per reading)"
    needs_valid: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require("SpectralTail", "least", self.least, 4, 1_000_000, whole=True)
        require("SpectralTail", "every", self.every, 1, 1_000_000, whole=True)
        if self.aspect is not None:
            require("SpectralTail", "aspect", self.aspect, 1.0, 1e6)

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the mean and each matrix' own exponent."""
        each = {
            f"tail_exponent/{name}": tail_exponent(probe.params[name], least=self.least, aspect=self.aspect)
            for name in probe.matrices
        }
        known = [value for value in each.values() if math.isfinite(value)]
        return {"tail_exponent": sum(known) / len(known) if known else math.nan, **each}


def tail_exponent(weight: Tensor, *, least: int = 50, aspect: float | None = None) -> float:
    """Return α of one weight; NaN with fewer than ``least`` eigenvalues, also per block, or a spectrum without tail.

    Shapes: weight (out, in, …).
    """
    matrix = widened(weight.detach().flatten(1))
    matrix = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    found = [hill(torch.linalg.svdvals(block).square(), least=least) for block in blocks(matrix, aspect)]
    known = [value for value in found if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def hill(eigenvalues: Tensor, *, least: int = 50) -> float:
    """Return α = 1 + k / Σ ln(λᵢ / λ_{n−k}) over the k = n/2 largest of n positive eigenvalues.

    Shapes: (n,).
    """
    values = torch.sort(widened(eigenvalues[eigenvalues > 0])).values
    n = values.numel()
    if n < least:
        return math.nan
    k = n // 2
    total = float((values[n - k :] / values[n - k - 1]).log().sum())
    return 1 + k / total if total > 0 else math.nan


def blocks(matrix: Tensor, aspect: float | None) -> list[Tensor]:
    """Cut (rows, columns ≥ rows) into blocks with ``columns = aspect·rows``, as large as fit; the rest is left out."""
    if aspect is None:
        return [matrix]
    rows, columns = matrix.shape
    high = min(rows, max(1, int(columns / aspect)))
    wide = min(columns, max(1, round(high * aspect)))
    return [
        matrix[top : top + high, left : left + wide]
        for top in range(0, rows - high + 1, high)
        for left in range(0, columns - wide + 1, wide)
    ]
