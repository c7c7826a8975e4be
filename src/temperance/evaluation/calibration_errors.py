"""Calibration errors beside the expected one: the largest bin, squared, squared without its bias, and by class.

All take stated chances and what happened, bins as ``binning`` makes them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array
from temperance.evaluation.binning import Codes, equal_mass, equal_width

BINS = 15


def bin_gaps(chance: Array, happened: Array, code: Codes) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return of each bin that holds rows (mean chance − share, share, count).

    Shapes: chance, happened, code (b,) → three times (bins that hold rows,).
    """
    count = np.bincount(code)
    kept = count > 0
    share = np.bincount(code, weights=happened)[kept] / count[kept]
    stated = np.bincount(code, weights=chance)[kept] / count[kept]
    return stated - share, share, count[kept]


def ece(chance: Array, happened: Array, *, bins: int = BINS, equal: str = "mass") -> float:
    """Return Σ (n_b / n) |mean chance − share| over bins."""
    gap, _, count = bin_gaps(chance, happened, _codes(chance, bins, equal))
    return float((np.abs(gap) * count).sum() / count.sum())


def mce(chance: Array, happened: Array, *, bins: int = BINS, equal: str = "width") -> float:
    """Return the largest |mean chance − share| of a bin."""
    gap, _, _ = bin_gaps(chance, happened, _codes(chance, bins, equal))
    return float(np.abs(gap).max())


def rmsce(chance: Array, happened: Array, *, bins: int = BINS, equal: str = "width") -> float:
    """Return √ Σ (n_b / n) (mean chance − share)²."""
    gap, _, count = bin_gaps(chance, happened, _codes(chance, bins, equal))
    return math.sqrt(float((gap**2 * count).sum() / count.sum()))


def debiased_rmsce(chance: Array, happened: Array, *, bins: int = BINS, equal: str = "mass") -> float:
    """Return √ max(0, Σ (n_b / n) [(mean chance − share)² − share (1 − share) / (n_b − 1)]).

    The subtrahend is what chance adds to the square of a bin; bins of one row give nothing.

    References:
        Kumar, Liang, Ma (2019), Verified uncertainty calibration, arXiv:1909.10155, section 5.

    """
    gap, share, count = bin_gaps(chance, happened, _codes(chance, bins, equal))
    kept = count > 1
    gap, share, count = gap[kept], share[kept], count[kept]
    if not len(count):
        return 0.0
    square = gap**2 - share * (1 - share) / (count - 1)
    return math.sqrt(max(0.0, float((square * count).sum() / len(chance))))


def classwise_ece(probabilities: Array, target: NDArray[np.int64], *, bins: int = BINS) -> float:
    """Return the mean over classes of the calibration error of each class's probability, bins of equal width.

    Shapes: probabilities (b, c), target (b,).

    References:
        Kull et al. (2019), arXiv:1910.12656.

    """
    columns = range(probabilities.shape[1])
    one = [ece(probabilities[:, k], (target == k).astype(np.float64), bins=bins, equal="width") for k in columns]
    return float(np.mean(one))


def _codes(chance: Array, bins: int, equal: str) -> Codes:
    return (equal_mass if equal == "mass" else equal_width)(chance, bins=bins)
