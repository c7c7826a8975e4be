"""The regressor for scikit-learn's world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from temperance.estimators.base import TemperanceEstimator
from temperance.estimators.inputs import check_inputs, rows_of
from temperance.records.errors import SettingError
from temperance.records.stated_range import check_level


class TemperanceRegressor(RegressorMixin, TemperanceEstimator):  # type: ignore[misc]
    """Predict numbers; see ``TemperanceEstimator`` for the parameters.

    Args:
        recipe: as in ``TemperanceEstimator``, and so on to ``columns``.
        interval: share of rows that the ranges of ``predict_interval`` are to hold; None: 0.9.
        counts: y counts something, 0 or more: nets, boosting and the linear model learn its mean on a log scale.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = TemperanceRegressor(epochs=5).fit(X, y)
        >>> model.predict(X[:2]).shape
        (2,)

    """

    @property
    def _task(self) -> str:  # type: ignore[override]
        return "counts" if self.counts else "regression"

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
        interval: float | None = None,
        counts: bool = False,
    ) -> None:
        super().__init__(
            recipe, budget=budget, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, metric=metric,
            net=net, device=device, workers=workers, random_state=random_state, out=out, candidates=candidates,
            columns=columns,
        )  # fmt: skip
        self.interval = interval
        self.counts = counts

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return values (b,)."""
        return self._answer(X)

    def predict_interval(self, X: Any, *, level: float | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (low, high), each (b,), that hold the truth with probability ``level``, by default ``interval``.

        Their width is measured on rows that the model did not learn (split conformal).

        Raises:
            SettingError: one net was trained on all rows, or rows were too few: none measured the width.
            BundleError: a level that no width was measured for; known are 0.5, 0.8, 0.9, 0.95 and ``interval``.

        """
        check_is_fitted(self)
        ask = getattr(self.predictor_, "interval", None)
        rows = rows_of(check_inputs(self, X, reset=False), self.predictor_.schema)
        found: tuple[NDArray[Any], NDArray[Any]] | None = None if ask is None else ask(rows, level=level)
        if found is None:
            raise SettingError(
                "an interval from a model that held no rows back, or too few",
                "a study or a folded run keeps rows apart that the width is measured on",
                'Fit with budget="2m", or without epochs, batch_size, learning_rate and net',
            )
        return found

    @property
    def _level(self) -> float | None:
        return None if self.interval is None else check_level(self.interval)
