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
    poisson = HistGradientBoostingRegressor(loss="poisson", max_iter=3).fit(np.nan_to_num(rows.numeric), np.ones(400))
    with pytest.raises(BundleError, match="loss"):
        Boosting.fitted(poisson)


def test_a_category_column_the_schema_calls_a_number_is_refused():
    inputs = np.stack([np.arange(200) % 3, np.arange(200)], 1).astype(float)
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(inputs, np.arange(200) % 2)
    with pytest.raises(BundleError, match="column 0"):
        Boosting.fitted(model)
