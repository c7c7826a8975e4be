"""Bins of confidence for calibration error and the reliability diagram; bins are [low, high), the last closed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array

Codes = NDArray[np.int64]


def equal_width(confidence: Array, *, bins: int = 15) -> Codes:
    """Return the bin (b,) of each confidence among ``bins`` of the same width on [0, 1]."""
    # edges are k / bins as floats, so that a confidence of exactly one edge falls into the upper bin
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, confidence, side="right").astype(np.int64)


def equal_mass(confidence: Array, *, bins: int = 15) -> Codes:
    """Return the bin (b,) of each confidence among at most ``bins`` of nearly the same count, ties kept together.

    A run of equal confidences goes to the bin in which its first row falls.
    """
    n = len(confidence)
    order = np.argsort(confidence, kind="stable")
    ranked = confidence[order]
    first = np.searchsorted(ranked, ranked, side="left")
    # the n % bins larger bins come first, as numpy.array_split does
    starts = np.cumsum([0, *(len(part) for part in np.array_split(np.empty(n), bins))])[1:-1]
    out = np.empty(n, dtype=np.int64)
    out[order] = np.searchsorted(starts, first, side="right")
    return out
