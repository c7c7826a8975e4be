"""The classifier for scikit-learn's world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from temperance.estimators.base import TemperanceEstimator
from temperance.estimators.inputs import Given
from temperance.records.errors import SettingError


class TemperanceClassifier(ClassifierMixin, TemperanceEstimator):  # type: ignore[misc]
    """Predict classes; see ``TemperanceEstimator`` for the parameters.

    Args:
        recipe: as in ``TemperanceEstimator``, and so on to ``columns``.
        class_weight: ``balanced``, or a dict from class to weight: the weight of each row of that class.
        costs: (c, c) ``costs[i, j]`` is what predicting class j costs where i is true, in the order of ``classes_``;
            ``predict`` takes the class of the least expected cost. Probabilities stay as they are.

    Attributes:
        classes_: (c,) the classes, sorted; the order of the columns of ``predict_proba``.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> model = TemperanceClassifier(epochs=5).fit(X, y)
        >>> model.predict_proba(X[:2]).shape
        (2, 3)

    """

    _task = "classification"

    def __init__(
        self,
        recipe: Any = None,
        *,
        budget: Any = None,
        epochs: float | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        metric: str | None = None,
        net: Any = "Tabular",
        device: str = "cpu",
        workers: int | None = None,
        random_state: Any = 0,
        out: str | Path | None = None,
        candidates: Any = (),
        columns: Any = None,
        class_weight: Any = None,
        costs: Any = None,
    ) -> None:
        super().__init__(
            recipe, budget=budget, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, metric=metric,
            net=net, device=device, workers=workers, random_state=random_state, out=out, candidates=candidates,
            columns=columns,
        )  # fmt: skip
        self.class_weight = class_weight
        self.costs = costs

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class (b,), or with ``costs`` the class of the least expected cost."""
        chances = self.predict_proba(X)
        gains = chances if self.costs is None else -chances @ self._checked_costs()
        labels: NDArray[Any] = self.classes_[np.argmax(gains, axis=1)]
        return labels

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities (b, c), rows summing to 1, in the order of ``classes_``."""
        chances: NDArray[np.float64] = self._answer(X)[:, self._order]
        return chances

    def _note_target(self, data: Given) -> None:
        self.classes_, self._order = data.classes, data.order
        if self.costs is not None:
            self._checked_costs()

    def _checked_costs(self) -> NDArray[np.float64]:
        costs, count = np.asarray(self.costs, dtype=np.float64), len(self.classes_)
        if costs.shape != (count, count) or not np.isfinite(costs).all():
            raise SettingError(
                f"costs of shape {costs.shape} for {count} classes", f"finite numbers ({count}, {count})",
                "One row per true class, one column per predicted class, in the order of classes_",
            )  # fmt: skip
        return costs
