"""Trees: routing and thresholds to the last digit."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from temperance.deployment.base import model_graph
from temperance.deployment.boosting import Boosting
from temperance.deployment.sketch import Sketch
from temperance.deployment.write import Exported
from temperance.records.errors import BundleError
from temperance.records.schema import Column, Rows, Schema, Target


def exported(part, schema):
    return Exported(schema, model_graph(part, Sketch(schema), schema.target).SerializeToString())


def test_two_hundred_categories_route_as_in_scikit_learn():
    words = tuple(f"w{i}" for i in range(200))
    columns = (Column("x", "numeric", "x"), Column("c", "categorical", "c", vocabulary=words))
    schema = Schema(columns, Target("y", "binary", ("n", "y")))
    random = np.random.default_rng(0)
    codes = random.integers(0, 190, (3000, 1)).astype(np.int32)
    rows = Rows(random.normal(size=(3000, 1)), codes)
    target = (random.random(200)[codes[:, 0]] + rows.numeric[:, 0] * 0.1 > 0.5).astype(int)
    inputs = np.concatenate([rows.numeric, codes.astype(float)], 1)
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features=[1]).fit(inputs, target)
    graph = exported(Boosting.fitted(model, (words,)), schema)
    probe = Rows(np.repeat(rows.numeric[:202], 1, 0), np.arange(-2, 200, dtype=np.int32)[:, None])
    seen = np.where(probe.categorical < 0, np.nan, probe.categorical)
    expected = model.predict_proba(np.concatenate([probe.numeric, seen], 1))
    assert np.abs(graph.predict(probe) - expected).max() < 1e-12


def test_thresholds_keep_their_float64_digits():
    schema = Schema((Column("x", "numeric", "x"),), Target("y", "regression"))
    x = 1e9 + np.arange(400)[:, None] * 1e-3
    model = HistGradientBoostingRegressor(max_iter=30).fit(x, np.sin(np.arange(400) / 20.0))
    graph = exported(Boosting.fitted(model), schema)
    rows = Rows(np.concatenate([x, x + 5e-4, [[np.nan]]]), np.empty((801, 0), dtype=np.int32))
    assert np.abs(graph.predict(rows) - model.predict(rows.numeric)).max() < 1e-12


def test_trees_of_one_leaf_and_other_losses(kit):
    schema = kit.schema_of("regression", ())
    rows, _ = kit.table_of(schema)
    constant = HistGradientBoostingRegressor(max_iter=3).fit(np.nan_to_num(rows.numeric), np.full(rows.size, 4.0))
    narrow = Schema(schema.numeric, schema.target)
    numbers = Rows(rows.numeric, np.empty((rows.size, 0), dtype=np.int32))
    assert exported(Boosting.fitted(constant), narrow).predict(numbers) == pytest.approx(np.full(rows.size, 4.0))
    other = HistGradientBoostingRegressor(loss="gamma", max_iter=3).fit(np.nan_to_num(rows.numeric), np.ones(400))
    with pytest.raises(BundleError, match="loss"):
        Boosting.fitted(other)


def test_a_category_column_the_schema_calls_a_number_is_refused():
    inputs = np.stack([np.arange(200) % 3, np.arange(200)], 1).astype(float)
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(inputs, np.arange(200) % 2)
    with pytest.raises(BundleError, match="column 0"):
        Boosting.fitted(model)


@pytest.mark.parametrize("objective", ["binary", "multiclass", "regression"])
def test_lightgbm_with_gaps_zeros_and_categories(objective):
    lightgbm = pytest.importorskip("lightgbm")
    words = tuple(f"w{i}" for i in range(60))
    classes = {"binary": ("n", "y"), "multiclass": ("a", "b", "c"), "regression": ()}[objective]
    columns = (Column("x", "numeric"), Column("z", "numeric"), Column("c", "categorical", vocabulary=words))
    schema = Schema(columns, Target("y", objective, classes))
    random = np.random.default_rng(0)
    codes = random.integers(-1, 55, (1500, 1)).astype(np.int32)
    rows = Rows(np.round(random.normal(size=(1500, 2)), 1), codes)
    rows.numeric[random.random(1500) < 0.2, 0] = np.nan
    signal = np.nan_to_num(rows.numeric[:, 0], nan=1.0) + random.normal(size=60)[codes[:, 0]] + (rows.numeric[:, 1] > 0)
    target = signal if objective == "regression" else np.digitize(signal, [0.0, 1.0][: len(classes) - 1])
    inputs = np.concatenate([rows.numeric, np.where(codes < 0, np.nan, codes)], 1)
    settings = {"objective": objective, "num_class": max(1, len(classes)) if objective == "multiclass" else 1}
    settings |= {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}
    data = lightgbm.Dataset(inputs, target, categorical_feature=[2], params={"verbosity": -1})
    booster = lightgbm.train(settings, data, 25)
    graph = exported(Boosting.lightgbm(booster, (words,), trees=20), schema)
    probe = Rows(
        np.array([[0.0, np.nan], [np.nan, 0.0], [1e30, -1e30], [0.1, 0.2]]),
        np.array([[-1], [58], [3], [-2]], dtype=np.int32),
    )
    for part in (rows, probe):
        seen = np.where(part.categorical < 0, np.nan, part.categorical)
        told = booster.predict(np.concatenate([part.numeric, seen], 1), num_iteration=20)
        expected = np.stack([1 - told, told], 1) if objective == "binary" else told
        np.testing.assert_allclose(graph.predict(part), expected, atol=1e-12)


def test_lightgbm_with_another_objective_is_refused():
    lightgbm = pytest.importorskip("lightgbm")
    data = lightgbm.Dataset(np.arange(100.0)[:, None], np.arange(100.0), params={"verbosity": -1})
    booster = lightgbm.train({"objective": "poisson", "verbosity": -1, "num_threads": 1}, data, 2)
    with pytest.raises(BundleError, match="poisson"):
        Boosting.lightgbm(booster, trees=2)
