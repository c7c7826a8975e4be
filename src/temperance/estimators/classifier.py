"""The classifier for scikit-learn's world."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from temperance.estimators.base import TemperanceEstimator
from temperance.estimators.inputs import Given


class TemperanceClassifier(ClassifierMixin, TemperanceEstimator):  # type: ignore[misc]
    """Predict classes; see ``TemperanceEstimator`` for the parameters.

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

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class (b,)."""
        chances = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[np.argmax(chances, axis=1)]
        return labels

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities (b, c), rows summing to 1, in the order of ``classes_``."""
        chances: NDArray[np.float64] = self._answer(X)[:, self._order]
        return chances

    def _note_target(self, data: Given) -> None:
        self.classes_, self._order = data.classes, data.order
