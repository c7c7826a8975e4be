"""Trees as flat arrays: by hand, in both kinds of split."""

import numpy as np
import pytest

from temperance.deployment.sketch import Sketch
from temperance.deployment.trees import Grower, Nodes
from temperance.deployment.write import Exported
from temperance.records.schema import Column, Rows, Schema, Target

SCHEMA = Schema((Column("x", "numeric"), Column("z", "numeric")), Target("y", "regression"))


def answers(trees, outputs, numbers):
    sketch = Sketch(SCHEMA)
    raw = trees.draw(sketch, "numeric", outputs)
    picked = sketch.add("ReduceSum", raw, sketch.constant([1], np.int64), keepdims=0)
    graph = sketch.finish({"value": (picked, ["b"])})
    return Exported(SCHEMA, graph.SerializeToString()).predict(
        Rows(np.array(numbers, dtype=float), np.empty((len(numbers), 0), np.int32))
    )


def tree(members=None):
    """x ≤ 1 (or x in members, missing right): 10; else z ≤ 0 (missing left): 20, else 30."""
    return Nodes(
        np.array([False, True, False, True, True]), np.array([0, 0, 1, 0, 0]), np.array([1.0, 0, 0, 0, 0]),
        np.array([0, 0, 1, 0, 0]), np.array([1, 0, 3, 0, 0]), np.array([2, 0, 4, 0, 0]),
        np.array([0.0, 10, 0, 20, 30]), members or {},
    )  # fmt: skip


def test_numbers_and_missing_ones_go_where_they_should():
    grower = Grower()
    grower.add(tree(), 0)
    found = answers(grower.trees(), 1, [[1.0, 5], [1.1, 0], [np.nan, 0.1], [2, np.nan]])
    assert found.tolist() == [10, 20, 30, 20]


def test_members_go_left_and_an_empty_set_never_does():
    for members, expected in (({0: [2.0, 5.0]}, [10, 30, 10, 30]), ({0: []}, [30, 30, 30, 30])):
        grower = Grower()
        grower.add(tree(members), 0)
        assert answers(grower.trees(), 1, [[2, 1], [1, 1], [5, 1], [np.nan, 1]]).tolist() == expected


def test_trees_add_up_and_a_tree_of_one_leaf_is_a_constant():
    stump = Nodes(*(np.array([v]) for v in (True, 0, 0.0, 0, 0, 0, 0.5)))
    grower = Grower()
    for one, output in ((tree(), 0), (stump, 0), (tree(), 1)):
        grower.add(one, output)
    trees = grower.trees()
    assert answers(trees, 2, [[0, 0]])[0] == pytest.approx(20.5)
    assert set(trees.arrays()) >= {"roots", "value", "members"}
