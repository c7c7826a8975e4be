"""Which expert is trusted how far: fixed share over their losses, the source model always among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.traffic import FLOOR, Array
from temperance.records.errors import SettingError


@dataclass(frozen=True)
class Mixture:
    """Weights over experts; expert 0 is the source model.

    p = Σ w_e p_e; after a label w ← (1 − α) · w · exp(−η · loss) / Σ + α · w₀ with log losses (values: half the squared
    error over the source model's running mean), w₀ = half for the source, the rest alike. So the mixture's log loss is
    never above the source model's by more than log(1 / w_source), and each expert can be back within some
    log(1 / α) nats.

    Attributes:
        forget: α.
        rate: η.

    Reference:
        Herbster, Warmuth (1998), "Tracking the best expert", Machine Learning 32; Vovk (1998), "A game of prediction
        with expert advice", for mixtures under log loss.

    """

    forget: float = 0.01
    rate: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.forget < 1 and self.rate > 0):
            raise SettingError(
                f"forget={self.forget}, rate={self.rate}", "0 < forget < 1, rate > 0", "Use the defaults"
            )

    def begin(self, count: int) -> Array:
        """Return w₀ (e,) for ``count`` experts, the source among them."""
        return np.array([1.0]) if count == 1 else np.array([0.5, *[0.5 / (count - 1)] * (count - 1)])

    def blend(self, weights: Array, answers: NDArray[Any]) -> NDArray[Any]:
        """Return Σ w_e p_e: (e, b, c) or (e, b) → (b, c) or (b,)."""
        return np.asarray(np.tensordot(weights, answers, axes=1))

    def update(self, weights: Array, answers: NDArray[Any], truth: NDArray[Any], error: float) -> Array:
        """Return the weights after labels.

        Args:
            weights: (e,).
            answers: of the experts when the rows were served, (e, b, c) or (e, b).
            truth: class codes or values (b,), in the order in which labels came.
            error: mean squared error that losses of values are measured in.

        """
        if answers.ndim == 2:
            losses = np.minimum((answers - truth) ** 2 / (2 * max(error, 1e-300)), 20.0)
        else:
            losses = -np.log(np.maximum(answers[:, np.arange(len(truth)), truth.astype(np.int64)], FLOOR))
        first = self.begin(len(weights))
        for loss in self.rate * losses.T:
            raised = weights * np.exp(loss.min() - loss)
            weights = (1 - self.forget) * raised / raised.sum() + self.forget * first
        return weights
