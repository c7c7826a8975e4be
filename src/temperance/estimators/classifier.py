"""The classifier for scikit-learn's world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from temperance.estimators.base import TemperanceEstimator
from temperance.estimators.inputs import Given
from temperance.estimators.pricing import prices_of
from temperance.records.decision import Costs, Decision, middle, most_probable


class TemperanceClassifier(ClassifierMixin, TemperanceEstimator):  # type: ignore[misc]
    """Predict classes; see ``TemperanceEstimator`` for the parameters.

    Args:
        recipe: as in ``TemperanceEstimator``, and so on to ``columns``.
        class_weight: ``balanced``, or a dict from class to weight: the weight of each row of that class.
        costs: what mistakes cost: ``"yes->no=10,no->yes=1"`` (true -> answered), ``{("yes", "no"): 10}``, or (c, c)
            ``costs[i, j]`` for predicting class j where i is true, in the order of ``classes_``. ``predict`` takes the
            class of the least expected cost. Probabilities stay as they are.

        ordered: the classes are levels, numbers in their order: a far miss is worse than a near one, and ``predict``
            answers the middle level.

    Attributes:
        classes_: (c,) the classes, sorted; the order of the columns of ``predict_proba``.
        decision_: how ``predict`` answers under the costs, with the threshold chosen on held-out rows where there were
            any; None without costs.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> model = TemperanceClassifier(epochs=5).fit(X, y)
        >>> model.predict_proba(X[:2]).shape
        (2, 3)

    """

    @property
    def _task(self) -> str:  # type: ignore[override]
        return "ordinal" if self.ordered else "classification"

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
        ordered: bool = False,
    ) -> None:
        super().__init__(
            recipe, budget=budget, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, metric=metric,
            net=net, device=device, workers=workers, random_state=random_state, out=out, candidates=candidates,
            columns=columns,
        )  # fmt: skip
        self.class_weight = class_weight
        self.costs = costs
        self.ordered = ordered

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class (b,), or with ``costs`` the class of the least expected cost."""
        chances = self.predict_proba(X)
        if self.decision_ is None:
            best: NDArray[Any] = self.classes_[(middle if self.ordered else most_probable)(chances)]
            return best
        codes = self.decision_.answers(chances[:, np.argsort(self._order)])
        labels: NDArray[Any] = self.classes_[np.argsort(self._order)[codes]]
        return labels

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities (b, c), rows summing to 1, in the order of ``classes_``."""
        chances: NDArray[np.float64] = self._answer(X)[:, self._order]
        return chances

    def _note_target(self, data: Given) -> None:
        self.classes_, self._order = data.classes, data.order
        self._names = data.table.schema.target.classes
        names = tuple(self._names[k] for k in self._order)
        self._prices = prices_of(self.costs, self.classes_, names)

    def _note_predictor(self) -> None:
        chosen = getattr(self.predictor_, "decision", None)
        if chosen is None and self._prices:
            chosen = Decision(Costs.of(self._prices, self._names))
        self.decision_ = chosen
