"""The regressor for scikit-learn's world."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from temperance.estimators.base import TemperanceEstimator
from temperance.estimators.packed import PackedBundle
from temperance.records.errors import SettingError


class TemperanceRegressor(RegressorMixin, TemperanceEstimator):  # type: ignore[misc]
    """Predict numbers; see ``TemperanceEstimator`` for the parameters.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = TemperanceRegressor(epochs=5).fit(X, y)
        >>> model.predict(X[:2]).shape
        (2,)

    """

    _task = "regression"

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return values (b,)."""
        return self._answer(X)

    def predict_interval(self, X: Any, *, level: float | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (low, high), each (b,), that hold the truth with probability ``level`` (0.9 by default).

        Raises:
            SettingError: trained without a budget: no rows were kept apart to measure the width on.
            BundleError: a level that the bundle has no width for.

        """
        values = self._answer(X)
        if not isinstance(self.predictor_, PackedBundle):
            raise SettingError(
                "an interval from a model without a budget",
                "a study keeps rows apart that the width is measured on",
                'Fit with budget="2m"',
            )
        half = self.predictor_.bundle.half_width(level)
        return values - half, values + half
