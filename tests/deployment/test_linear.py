import numpy as np
import pytest

from temperance.deployment.base import model_graph
from temperance.deployment.linear import Linear
from temperance.deployment.sketch import Sketch
from temperance.deployment.write import Exported
from temperance.records.errors import BundleError
from temperance.records.schema import Rows, Schema


def part_of(kit, **changes):
    random = np.random.default_rng(0)
    settings = {
        "median": np.array([0.5, 5e6, 0.0, 3.0]),
        "centre": np.array([0.0, 5e6, 0.0, 3.0]),
        "factor": np.array([1.0, 0.01, 1e3, 0.0]),
        "flagged": (1, 3),
        "weight": random.normal(size=(6, 1)),
        "vocabulary": kit.WORDS,
        "tables": (random.normal(size=(4, 1)), random.normal(size=(2, 1))),
        "intercept": np.array([0.25]),
    }
    return Linear(**{**settings, **changes})


def predict(part, schema, rows):
    return Exported(schema, model_graph(part, Sketch(schema), schema.target).SerializeToString()).predict(rows)


def test_the_formula(kit, regression):
    rows, _ = kit.table_of(regression)
    part = part_of(kit)
    missing = np.isnan(rows.numeric)
    numbers = (np.where(missing, part.median, rows.numeric) - part.centre) * part.factor
    score = np.concatenate([numbers, missing[:, [1, 3]]], 1) @ part.weight[:, 0] + 0.25
    for j, table in enumerate(part.tables):
        score += np.where(rows.categorical[:, j] < 0, 0.0, table[rows.categorical[:, j], 0])
    assert np.abs(predict(part, regression, rows) - score).max() < 1e-12


def test_columns_of_one_kind(kit, regression):
    rows, _ = kit.table_of(regression)
    words = Schema(regression.categorical, regression.target)
    empty = np.zeros(0)
    part = part_of(kit, median=empty, centre=empty, factor=empty, flagged=(), weight=np.zeros((0, 1)))
    only = predict(part, words, Rows(rows.numeric[:, :0], rows.categorical))
    assert len(set(np.round(only, 9))) <= 15
    numbers = Schema(regression.numeric, regression.target)
    part = part_of(kit, vocabulary=(), tables=())
    assert predict(part, numbers, Rows(rows.numeric, rows.categorical[:, :0])).shape == (400,)


def test_weights_that_do_not_fit_are_refused(kit, regression, linear):
    with pytest.raises(BundleError, match="weights"):
        predict(part_of(kit, flagged=()), regression, linear.rows)
    nothing = part_of(kit, median=np.zeros(0), tables=(), vocabulary=())
    with pytest.raises(BundleError, match="no inputs"):
        predict(nothing, regression, linear.rows)
