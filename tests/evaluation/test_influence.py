import time

import numpy as np
import pytest

from temperance.evaluation.influence import Asked, alike, influence, put
from temperance.records.decision import Costs, Decision
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def test_the_columns_a_model_uses_come_first_and_the_others_tell_nothing(binary):
    table, model = binary
    found, left = influence(Asked(model, table, np.arange(1000)), table.schema)
    assert left == ()
    assert [f.columns for f in found[:2]] == [("x1",), ("x0",)]
    assert all(f.loss.value == 0.0 and f.wrong.value == 0.0 for f in found[2:])
    assert found[0].loss.low > 0
    assert found[0].wrong.value > 0.1
    assert found[0].repeats == 5


def test_the_rise_is_that_of_the_shuffled_rows(regression):
    """A linear law with weight 1: E|a − b + e| over pairs of rows, by hand on the same shuffle."""
    table, model = regression
    asked = Asked(model, table, np.arange(600))
    found, _ = influence(asked, table.schema, repeats=1)
    order = np.random.default_rng([0, 0x1F1E]).permutation(600)
    x = table.rows.numeric
    off = np.abs(x[order, 0] - x[:, 1] - table.target)
    by_hand = off.mean() - np.abs(x[:, 0] - x[:, 1] - table.target).mean()
    assert next(f for f in found if f.columns == ("x0",)).loss.value == pytest.approx(by_hand)
    assert found[0].wrong is None


def test_columns_that_tell_the_same_are_shuffled_together():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 3))
    x[:, 1] = np.exp(x[:, 0])  # the same ranks
    schema = Schema(tuple(Column(n, "numeric", n) for n in "abc"), Target("y", "regression"))
    rows = Rows(x, np.zeros((300, 0), np.int32))
    assert alike(schema, rows) == [("a", "b"), ("c",)]

    class Mean:
        def __init__(self):
            self.schema = schema

        def predict(self, rows):
            return rows.numeric[:, 0] + np.log(rows.numeric[:, 1])

    found, _ = influence(Asked(Mean(), Table(schema, rows, 2 * x[:, 0]), np.arange(300)), schema)
    assert found[0].columns == ("a", "b")
    assert found[1].loss.value == 0.0


def test_parts_of_a_date_and_gaps_stay_together():
    columns = (
        Column("d_days", "numeric", "d", "days"),
        Column("d_month", "numeric", "d", "month"),
        Column("x", "numeric"),
    )
    schema = Schema(columns, Target("y", "regression"))
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[:10, 2] = np.nan
    rows = Rows(x, np.zeros((50, 0), np.int32))
    assert alike(schema, rows) == [("d",), ("x",)]
    moved = put(rows, schema, ("d",), np.arange(50)[::-1])
    np.testing.assert_array_equal(moved.numeric[:, :2], x[::-1, :2])
    np.testing.assert_array_equal(moved.numeric[:, 2], x[:, 2])


def test_answers_that_are_not_finite_cost_as_much_as_a_sure_mistake(binary):
    table, model = binary
    asked = Asked(model, table, np.arange(100))
    broken = asked.before.copy()
    broken[0] = np.nan
    assert asked.loss(broken)[0] == pytest.approx(-np.log(1e-7))


def test_what_there_is_no_time_for_is_named(binary):
    table, model = binary
    asked = Asked(model, table, np.arange(100))
    none, left = influence(asked, table.schema, deadline=time.perf_counter())
    assert none == ()
    assert left == (("importance of 5 columns from 'x0' on", "no time left"),)
    some, more = influence(asked, table.schema, most=2)
    assert len(some) == 2
    assert more == (("importance of 3 columns from 'x2' on", "only 2 are looked at"),)


def test_wrong_answers_are_those_that_are_given_under_costs():
    """A model that always says 0.3: most probable is no, and at a cost of 10 for a missed yes the answer is yes."""
    schema = Schema((Column("x", "numeric", "x"),), Target("y", "binary", ("no", "yes")))
    rows = Rows(np.arange(40.0).reshape(-1, 1), np.zeros((40, 0), np.int32))
    table = Table(schema, rows, np.ones(40, dtype=np.int64))

    class Model:
        decision = None

        def __init__(self):
            self.schema = schema

        def predict(self, rows):
            return np.tile([0.7, 0.3], (rows.size, 1))

    model = Model()
    assert Asked(model, table, np.arange(40)).base_wrong.mean() == 1.0
    model.decision = Decision(Costs(("no", "yes"), ((0.0, 1.0), (10.0, 0.0))))
    asked = Asked(model, table, np.arange(40))
    assert asked.base_wrong.mean() == 0.0
    assert (asked.answered(asked.before) == 1).all()
