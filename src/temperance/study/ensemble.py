"""Weights of an ensemble, from predictions on the selection rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def greedy_weights(
    predictions: Sequence[Array], loss: Callable[[Array], float], *, rounds: int = 20, most: int = 4
) -> tuple[float, ...]:
    """Return non-negative weights that sum to 1, by forward selection with replacement.

    Starting from the best member, each round adds the member whose inclusion lowers the loss of the mean most; the best
    bag of all rounds is kept. At most ``most`` members get weight.
    Source: Caruana et al. (2004), Ensemble selection from libraries of models, ICML, section 2.

    Args:
        predictions: per member (b, c) or (b,).
        loss: mean loss of a prediction.
        rounds: members in the bag at the end.
        most: different members at most.

    """
    counts = np.zeros(len(predictions), dtype=np.int64)
    total = np.zeros_like(predictions[0])
    best_loss, best_counts = np.inf, counts.copy()
    for size in range(1, rounds + 1):
        full = int((counts > 0).sum()) >= most
        scores = [loss((total + p) / size) if counts[i] or not full else np.inf for i, p in enumerate(predictions)]
        chosen = int(np.argmin(scores))
        counts[chosen] += 1
        total = total + predictions[chosen]
        if scores[chosen] < best_loss - 1e-12:
            best_loss, best_counts = scores[chosen], counts.copy()
    return tuple(float(c) for c in best_counts / best_counts.sum())
