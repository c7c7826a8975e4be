"""Forests of scikit-learn and symmetric trees of CatBoost, against the libraries themselves."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier

from temperance.deployment.base import model_graph
from temperance.deployment.forest import Forest, _symmetric
from temperance.deployment.sketch import Sketch
from temperance.deployment.write import Exported
from temperance.models.basic import CodeMatrix
from temperance.records.schema import MISSING, UNSEEN, Rows


def exported(part, schema):
    return Exported(schema, model_graph(part, Sketch(schema), schema.target).SerializeToString())


def words_of(schema):
    return tuple(column.vocabulary for column in schema.categorical)


@pytest.mark.parametrize("classes", [("n", "y"), ("a", "b", "c")])
def test_a_forest_of_classes(classes, kit):
    schema = kit.schema_of("binary" if len(classes) == 2 else "multiclass", classes)
    rows, target = kit.table_of(schema)
    matrix = CodeMatrix.fit(schema)
    model = RandomForestClassifier(15, random_state=0).fit(matrix.of(rows), target)
    part = Forest.fitted(model, matrix, words_of(schema))
    assert len(part.table) == (0 if len(classes) == 2 else len(part.trees.value))
    assert np.abs(exported(part, schema).predict(rows) - model.predict_proba(matrix.of(rows))).max() < 1e-12
    assert {"table", "baseline", "roots"} <= set(part.arrays())


def test_a_forest_of_values_with_many_categories_and_gaps(kit):
    schema = kit.schema_of("regression", ())
    rows, target = kit.table_of(schema)
    matrix = CodeMatrix((0, 2))  # the first column's code as a number
    model = ExtraTreesRegressor(15, random_state=0).fit(matrix.of(rows), target)
    strange = rows.take(slice(0, 3))._replace(
        numeric=np.full((3, 4), np.nan), categorical=np.array([[MISSING, UNSEEN], [UNSEEN, 1], [3, MISSING]], np.int32)
    )
    graph = exported(Forest.fitted(model, matrix, words_of(schema)), schema)
    for part in (rows, strange):
        np.testing.assert_allclose(graph.predict(part), model.predict(matrix.of(part)), rtol=1e-12)


def test_numbers_beyond_float32_are_clipped_on_both_sides(kit):
    schema = kit.schema_of("regression", ())
    rows, target = kit.table_of(schema)
    matrix = CodeMatrix.fit(schema)
    model = ExtraTreesRegressor(5, random_state=0).fit(matrix.of(rows), target)
    far = Rows(np.array([[1e300, -1e300, 1e-300, 0.0]]), rows.categorical[:1])
    graph = exported(Forest.fitted(model, matrix, words_of(schema)), schema)
    np.testing.assert_allclose(graph.predict(far), model.predict(matrix.of(far)), rtol=1e-12)


def test_a_symmetric_tree_by_hand():
    splits = [{"float_feature_index": 0, "border": 1.0}, {"float_feature_index": 1, "border": 2.0}]
    nodes, order = _symmetric(splits, {1: "AsTrue"})
    assert nodes.feature[:3].tolist() == [0, 1, 1]
    assert nodes.missing_left[:3].tolist() == [1, 0, 0]
    assert order.tolist() == [0, 2, 1, 3]  # left to right: neither, the second, the first, both borders passed
    empty, order = _symmetric([], {})
    assert (empty.leaf.tolist(), order.tolist()) == ([True], [0])
