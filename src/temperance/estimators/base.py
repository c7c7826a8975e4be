"""What both estimators share: parameters, the way from data to a predictor, saving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from temperance.data.choices import of_python
from temperance.estimators.inputs import Given, check_inputs, given, rows_of
from temperance.estimators.packed import PackedBundle
from temperance.records.errors import SettingError


class TemperanceEstimator(BaseEstimator, ABC):  # type: ignore[misc]
    """A net with a recipe, or with ``budget`` a whole study, behind scikit-learn's interface.

    Without ``budget``, one folded run is trained in this process: small nets that leave out a fold each, read out of
    fold, and weighed together with a linear model and boosting on rows that none of them learned. All rows train. Where
    ``recipe``, ``epochs``, ``batch_size``, ``learning_rate`` or ``net`` is given, or rows cannot be folded (fewer than
    40, a class with fewer than 3, ``time``), one net is trained with one recipe for fixed epochs. With ``budget``, a
    study searches for the best regularized model; its own test rows (20 %) are held out of the training, and figures of
    them are in ``study_``.

    Args:
        recipe: techniques and controller of one net; None: weight decay and dropout of medium strength. With
            ``budget``: a recipe, or a list of them, that the study tries first.
        budget: ``"2m"``, ``"90s"``, ``"12trials"``, ``"1run"``; None trains in this process, without test rows.
        epochs: passes over the rows (without ``budget``); None: by the count of rows.
        batch_size: rows per step (without ``budget``); None: by the count of rows.
        learning_rate: largest rate of AdamW (without ``budget``); None: what suits the net.
        metric: metric that decides the study; None: log loss, or RMSE.
        net: your own net: ``module:function``, or a function from ``TaskInfo`` to ``Task``. Without ``budget`` also
            ``Tabular``, ``plain``, or a plug-in's net.
        device: ``cpu``, ``cuda`` or ``auto``.
        workers: processes of the study; None: one per core.
        random_state: seed, or a NumPy ``RandomState``.
        out: folder that keeps the whole study; None keeps it in memory.
        candidates: (with ``budget``) scikit-learn estimators, or ``module:name``, that compete with ours.
        columns: how columns are read: ``{"price": "number,decimal=,", "id": "drop"}``, or the path of a schema file
            that ``temperance audit --write-schema`` wrote; None: their values decide.

    Attributes:
        n_features_in_: count of features.
        feature_names_in_: their names, where X was a frame.
        predictor_: the fitted model over raw rows.
        study_: ``study.json`` as a dict; without ``budget`` its ``trials`` and the ``winner`` with its members.

    """

    _task = ""

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
    ) -> None:
        self.recipe = recipe
        self.budget = budget
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.metric = metric
        self.net = net
        self.device = device
        self.workers = workers
        self.random_state = random_state
        self.out = out
        self.candidates = candidates
        self.columns = columns

    @abstractmethod
    def predict(self, X: Any) -> NDArray[Any]:
        """Predict for each row.

        Shapes: X (b, f) → (b,).
        """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, time: Any = None) -> Self:
        """Train.

        Args:
            X: (b, f) array of numbers, NaN for missing; or a frame with columns of any type.
            y: (b,) labels or values.
            sample_weight: (b,) weights of the rows in training, in the losses that choose, and in those figures of the
                test rows that are means (not with ``class_weight``, which says nothing of new rows); 0 leaves a row
                out.
            groups: (b,) groups, e.g. patients: none is split between training and the rows that judge.
            time: (b,) numbers or dates: later rows judge what earlier rows taught.

        """
        self._check_settings()
        data = given(
            self, X, y, task=self._task, sample_weight=sample_weight, groups=groups, time=time,
            class_weight=getattr(self, "class_weight", None), columns=self.columns,
        )  # fmt: skip
        self._note_target(data)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if isinstance(self.random_state, (int, np.integer)):
            seed = int(self.random_state)
        if self.budget is None:
            self.predictor_, self.study_ = self._trained(data.table, seed)
        else:
            self.predictor_, self.study_ = self._searched(seed).train(
                data.inputs, data.targets, task=self._task, beside=data.beside,
                weigh_test=getattr(self, "class_weight", None) is None,
            )  # fmt: skip
        self._note_predictor()
        return self

    def save(self, folder: str | Path) -> Path:
        """Write the bundle to a new folder, ready for ``temperance serve`` and ``temperance predict``.

        Raises:
            SettingError: the model was trained without a budget, so there is no tested bundle.
            BundleError: the folder holds something already.

        """
        check_is_fitted(self)
        if not isinstance(self.predictor_, PackedBundle):
            raise SettingError(
                "save on a model that was trained without a budget", "a study writes a bundle", 'Fit with budget="2m"'
            )
        return self.predictor_.write(Path(folder))

    # -- parts ----------------------------------------------------------------------------------------------------

    def _answer(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        inputs = check_inputs(self, X, reset=False)
        answer: NDArray[np.float64] = self.predictor_.predict(rows_of(inputs, self.predictor_.schema))
        return answer

    _prices: tuple[Any, ...] = ()  # what mistakes cost, of a classifier

    @property
    def _level(self) -> float | None:
        """Level of the ranges around predicted numbers, of a regressor."""
        return None

    def _note_target(self, data: Given) -> None:
        """Keep what the target says; nothing by default."""

    def _note_predictor(self) -> None:
        """Keep what the trained predictor says; nothing by default."""

    def _check_settings(self) -> None:
        alone = ("epochs", "batch_size", "learning_rate")
        set_too = [name for name in alone if getattr(self, name) is not None]
        if self.budget is not None and set_too:
            raise SettingError(
                f"budget together with {', '.join(set_too)}",
                "a budget searches for recipe and training by itself",
                "Leave out one of the two",
            )
        own = callable(self.net) or ":" in str(self.net)
        if self.budget is not None and not own and self.net != "Tabular":
            raise SettingError(
                f"net={self.net!r} together with a budget", "a function of yours from TaskInfo to Task",
                "Leave out one of the two",
            )  # fmt: skip
        if self.budget is None and len(self.candidates):
            raise SettingError(
                "candidates without a budget", "candidates compete in a study", 'Give a budget too, e.g. budget="2m"'
            )

    def _trained(self, table: Any, seed: int) -> tuple[Any, dict[str, Any]]:
        """Train in this process: one folded run; or one net, where its training is given or rows cannot be folded."""
        from temperance.estimators.one_run import OneRun
        from temperance.estimators.single import Single

        given = (self.recipe, self.epochs, self.batch_size, self.learning_rate)
        asked = self.net != "Tabular" or any(one is not None for one in given)
        why = "its training was given" if asked else OneRun.obstacle(table)
        if why is None:
            return OneRun(self.device, seed, self._prices, self._level).train(table)
        single = Single(self.recipe, self.epochs, self.batch_size, self.learning_rate, self.net, self.device, seed)
        predictor, trial = single.train(table)
        return predictor, {"trials": [trial], "winner": {"trial": trial["id"], "why": f"one net alone: {why}"}}

    def _searched(self, seed: int) -> Any:
        from temperance.estimators.searched import Searched
        from temperance.estimators.single import check_recipe

        given = () if self.recipe is None else self.recipe
        starts = tuple(given) if isinstance(given, list | tuple) else (given,)
        for one in starts:
            check_recipe(one)
        net = "" if self.net == "Tabular" else self.net
        reading, others = of_python(self.columns).to_dict(), tuple(self.candidates)
        return Searched(
            self.budget, self.metric, self.device, self.workers, seed, self.out, others, starts, net, reading,
            self._prices, self._level,
        )  # fmt: skip

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags
