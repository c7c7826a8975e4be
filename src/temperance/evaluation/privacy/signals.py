"""What an attacker reads off a model's answer to a row whose truth they know."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError

Array = NDArray[np.float64]
FLOOR = 1e-12  # smallest probability that counts


def margins(probabilities: Array, truth: NDArray[np.int64]) -> Array:
    """Return φ = log p_y − log Σ_{k≠y} p_k, the log-odds of the true class; nearly normal over retrained models.

    Args:
        probabilities: (b, c), rows sum to 1.
        truth: (b,) class codes.

    Returns:
        (b,), bounded by the floor of 1e-12 on each side.

    Raises:
        DataError: shapes that do not fit, or a truth outside 0 … c − 1.

    References:
        Carlini et al. (2022), arXiv:2112.03570, section IV-B.

    """
    p = np.asarray(probabilities, dtype=np.float64)
    codes = np.asarray(truth)
    if p.ndim != 2 or len(p) != len(codes) or (len(codes) and not 0 <= codes.min() <= codes.max() < p.shape[1]):
        raise DataError(f"probabilities {p.shape} with truth {codes.shape}", "(b, c) with codes 0 … c − 1 (b,)")
    rows = np.arange(len(codes))
    own = p[rows, codes]
    others = p.copy()
    others[rows, codes] = 0.0  # summed without the true class: 1 − p_y would lose all digits near 1
    out: Array = np.log(np.maximum(own, FLOOR)) - np.log(np.maximum(others.sum(axis=1), FLOOR))
    return out


def chances(probabilities: Array, truth: NDArray[np.int64]) -> Array:
    """Return p_y, the stated chance of the true class, at least 1e-12.

    Shapes: (b, c) and (b,) → (b,).
    """
    rows = np.arange(len(truth))
    out: Array = np.maximum(np.asarray(probabilities, dtype=np.float64)[rows, truth], FLOOR)
    return out


def residuals(values: Array, truth: Array) -> Array:
    """Return −(y − ŷ)², the signal for numbers: higher means a closer answer. Shapes: (b,) each."""
    out: Array = -((np.asarray(truth, dtype=np.float64) - np.asarray(values, dtype=np.float64)) ** 2)
    return out
