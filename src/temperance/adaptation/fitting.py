"""Small fits on labelled rows in memory, in NumPy: a penalised softmax with an offset, and a ridge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.traffic import Array, softmax


def softmax_fit(
    inputs: Array, offset: Array, target: NDArray[Any], weight: Array, start: tuple[Array, float], *,
    penalty: float, rounds: int = 15,
) -> tuple[Array, float]:  # fmt: skip
    """Return (W, s) that lower Σ w · log loss of softmax((1 + s) · offset + inputs @ W), near 0.

    Objective: mean weighted log loss + ``penalty`` · (‖W‖² + s²) / 2, by accelerated gradient steps (Nesterov 1983)
    with the step 1 / L, L from the largest weighted row norm's mean.

    Shapes: inputs (m, d), offset (m, c), target (m,) codes, weight (m,), W (d, c).

    Args:
        inputs: numbers per row.
        offset: the source model's log-probabilities.
        target: classes.
        weight: of the rows, at least one above 0.
        start: (W, s) of the fit before.
        penalty: pull towards the source model.
        rounds: steps.

    """
    share = weight / weight.sum()
    hit = np.zeros_like(offset)
    hit[np.arange(len(target)), target.astype(np.int64)] = 1.0
    size = float(share @ ((inputs**2).sum(axis=1) + (offset**2).sum(axis=1)))
    step = 1.0 / (0.5 * size + penalty)
    matrix, scale = start
    ahead, ahead_scale, pace = matrix, scale, 1.0
    for _ in range(rounds):
        gap = share[:, None] * (softmax((1 + ahead_scale) * offset + inputs @ ahead) - hit)
        moved = ahead - step * (inputs.T @ gap + penalty * ahead)
        moved_scale = ahead_scale - step * (float((gap * offset).sum()) + penalty * ahead_scale)
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        push = (pace - 1) / faster
        ahead, ahead_scale = moved + push * (moved - matrix), moved_scale + push * (moved_scale - scale)
        matrix, scale, pace = moved, moved_scale, faster
    return matrix, float(scale)


def ridge_fit(inputs: Array, target: Array, weight: Array, *, penalty: float) -> Array:
    """Return β = argmin Σ w (target − inputs @ β)² + ``penalty`` · ‖β‖².

    Shapes: inputs (m, d), target (m,), weight (m,) → (d,).
    """
    heavy = inputs * weight[:, None]
    matrix = inputs.T @ heavy + penalty * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(matrix, heavy.T @ target))
