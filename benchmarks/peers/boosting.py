"""The boosting libraries that ``search.Search`` tunes: scikit-learn's histogram boosting, LightGBM, CatBoost."""

from __future__ import annotations

from typing import Any

import numpy as np
from peers.search import MOST_ROUNDS, Library, Settings, Stop


class Histogram(Library):
    module = "sklearn.ensemble"

    def starts(self) -> list[Settings]:
        plain = {"learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 20, "l2_regularization": 1e-4,
                 "max_features": 1.0, "max_bins": 255}  # fmt: skip
        return [plain, {**plain, "learning_rate": 0.05, "max_leaf_nodes": 12, "max_features": 0.6}]

    def draw(self, trial: Any) -> Settings:
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
            "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 3, 128, log=True),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 100, log=True),
            "l2_regularization": trial.suggest_float("l2_regularization", 1e-4, 100, log=True),
            "max_features": trial.suggest_float("max_features", 0.2, 1.0),
            "max_bins": trial.suggest_categorical("max_bins", [63, 255]),
        }

    def model(self, stop: Stop | None = None, **settings: Any) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingRegressor if self.data["regression"] else HistGradientBoostingClassifier

        class Stopped(kind):  # scikit-learn has no callback; its own test of the scores is asked after each round
            def _should_stop(self, scores: list[float]) -> bool:
                return (stop is not None and stop()) or bool(super()._should_stop(scores))

        Stopped.__name__ = kind.__name__
        return Stopped(categorical_features=self.categorical, random_state=self.data["seed"], **settings)

    def curve(self, settings: Settings, fit: np.ndarray, check: np.ndarray, stop: Stop) -> np.ndarray:
        model = self.model(stop, max_iter=MOST_ROUNDS, early_stopping=True, tol=0.0, scoring="loss",
                           n_iter_no_change=self.patience(settings), **settings)  # fmt: skip
        model.fit(self.rows[fit], self.y[fit], X_val=self.rows[check], y_val=self.y[check])
        return -np.asarray(model.validation_score_)[1:]  # the first is that of no round

    def answer(self, settings: Settings, rounds: int) -> np.ndarray:
        model = self.model(max_iter=rounds, early_stopping=False, **settings).fit(self.rows, self.y)
        if self.data["regression"]:
            return np.asarray(model.predict(self.test), np.float64)
        return self.full(model.predict_proba(self.test), np.asarray(model.classes_))


class LightGBM(Library):
    module = "lightgbm"

    def starts(self) -> list[Settings]:
        plain = {"learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "lambda_l2": 1e-3,
                 "feature_fraction": 1.0, "bagging_fraction": 1.0, "extra_trees": False}  # fmt: skip
        if self.categorical.any():
            plain |= {"cat_smooth": 10.0, "min_data_per_group": 100}
        return [plain, {**plain, "learning_rate": 0.05, "num_leaves": 12, "feature_fraction": 0.6}]

    def draw(self, trial: Any) -> Settings:
        found = {
            "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 3, 128, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 1, 100, log=True),
            "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 100, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
            "extra_trees": trial.suggest_categorical("extra_trees", [False, True]),
        }
        if self.categorical.any():
            found["cat_smooth"] = trial.suggest_float("cat_smooth", 1.0, 100.0, log=True)
            found["min_data_per_group"] = trial.suggest_int("min_data_per_group", 5, 200, log=True)
        return found

    def full_settings(self, settings: Settings) -> Settings:
        fixed: Settings = {"num_threads": 1, "verbosity": -1, "seed": self.data["seed"], "bagging_freq": 1}
        if self.data["regression"]:
            fixed |= {"objective": "regression", "metric": "l2"}
        elif self.data["classes"] == 2:
            fixed |= {"objective": "binary", "metric": "binary_logloss"}
        else:
            fixed |= {"objective": "multiclass", "metric": "multi_logloss", "num_class": self.data["classes"]}
        return fixed | settings

    def rows_of(self, which: np.ndarray | slice, reference: Any = None) -> Any:
        import lightgbm

        named = np.flatnonzero(self.categorical).tolist()
        return lightgbm.Dataset(
            self.rows[which], self.y[which], reference=reference, categorical_feature=named,
            params={"verbosity": -1, "num_threads": 1}, free_raw_data=False,
        )  # fmt: skip

    def curve(self, settings: Settings, fit: np.ndarray, check: np.ndarray, stop: Stop) -> np.ndarray:
        import lightgbm
        from lightgbm.callback import EarlyStopException

        def watch(environment: Any) -> None:
            if stop():
                raise EarlyStopException(environment.iteration, environment.evaluation_result_list)

        seen: dict[str, Any] = {}
        train = self.rows_of(fit)
        lightgbm.train(
            self.full_settings(settings), train, MOST_ROUNDS, valid_sets=[self.rows_of(check, train)],
            callbacks=[lightgbm.early_stopping(self.patience(settings), verbose=False),
                       lightgbm.record_evaluation(seen), watch],
        )  # fmt: skip
        (marks,) = seen["valid_0"].values()
        return np.asarray(marks)

    def answer(self, settings: Settings, rounds: int) -> np.ndarray:
        import lightgbm

        found = lightgbm.train(self.full_settings(settings), self.rows_of(slice(None)), rounds).predict(self.test)
        if self.data["regression"] or found.ndim == 2:
            return np.asarray(found, np.float64)
        return np.stack([1 - found, found], axis=1)


class CatBoost(Library):
    module = "catboost"

    def starts(self) -> list[Settings]:
        plain = {"learning_rate": 0.08, "depth": 6, "l2_leaf_reg": 3.0, "random_strength": 1.0,
                 "bagging_temperature": 1.0}  # fmt: skip
        return [plain, {**plain, "depth": 4}]

    def draw(self, trial: Any) -> Settings:
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
            "depth": trial.suggest_int("depth", 3, 8),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 30.0, log=True),
            "random_strength": trial.suggest_float("random_strength", 0.3, 5.0, log=True),
            "bagging_temperature": trial.suggest_float("bagging_temperature", 0.0, 2.0),
        }

    def pool(self, rows: np.ndarray, y: np.ndarray | None) -> Any:
        import catboost
        import pandas as pd

        frame = pd.DataFrame(rows)
        named = np.flatnonzero(self.categorical).tolist()
        for column in named:
            frame[column] = frame[column].fillna(-1).astype(int).astype(str)
        return catboost.Pool(frame, y, cat_features=named, thread_count=1)

    def model(self, settings: Settings, rounds: int) -> Any:
        import catboost

        loss = "RMSE" if self.data["regression"] else "Logloss" if self.data["classes"] == 2 else "MultiClass"
        fixed = {"loss_function": loss, "iterations": rounds, "random_seed": self.data["seed"], "thread_count": 1,
                 "allow_writing_files": False, "verbose": False}  # fmt: skip
        if loss == "MultiClass":
            fixed["classes_count"] = self.data["classes"]
        return catboost.CatBoost(fixed | settings)

    def curve(self, settings: Settings, fit: np.ndarray, check: np.ndarray, stop: Stop) -> np.ndarray:
        class Watch:
            def after_iteration(self, info: Any) -> bool:
                return not stop()

        model = self.model(settings, MOST_ROUNDS)
        model.fit(self.pool(self.rows[fit], self.y[fit]), eval_set=self.pool(self.rows[check], self.y[check]),
                  early_stopping_rounds=self.patience(settings), callbacks=[Watch()], use_best_model=False)  # fmt: skip
        (marks,) = model.get_evals_result()["validation"].values()
        return np.asarray(marks)

    def answer(self, settings: Settings, rounds: int) -> np.ndarray:
        model = self.model(settings, rounds)
        model.fit(self.pool(self.rows, self.y))
        if self.data["regression"]:
            return np.asarray(model.predict(self.pool(self.test, None)), np.float64)
        return np.asarray(model.predict(self.pool(self.test, None), prediction_type="Probability"), np.float64)
