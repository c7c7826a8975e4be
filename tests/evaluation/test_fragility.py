import json

import numpy as np
import pytest

from temperance.evaluation.fragility import fragility
from temperance.records.decision import Costs, Decision
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def test_the_columns_a_model_uses_come_first(binary):
    table, model = binary
    found, left = fragility(model, table)
    assert left == ()
    assert [f.column for f in found[:2]] == ["x1", "x0"]
    assert {f.column for f in found} == {"x0", "x1", "x2", "x3", "city"}
    assert all(f.worst == 0.0 for f in found[2:])
    assert next(f for f in found if f.column == "city").unit_error is None
    top = found[0]
    assert top.missing.low < top.missing.value < top.missing.high
    json.dumps([f.to_dict() for f in found], allow_nan=False)


def test_share_of_answers_that_change_by_hand(binary):
    table, model = binary
    index = np.arange(200)
    found, _ = fragility(model, table, index)
    x = table.rows.numeric[index]
    plain = np.mean((x[:, 0] > 0) != (x[:, 0] + x[:, 1] > 0))
    assert next(f for f in found if f.column == "x1").missing.value == pytest.approx(plain)


def test_regression_is_in_units_of_the_targets_spread(regression):
    table, model = regression
    found, _ = fragility(model, table, limit=600)
    first = next(f for f in found if f.column == "x0")
    x = np.abs(table.rows.numeric[:, 0])
    assert first.missing.value == pytest.approx(x.mean() / table.target.std())
    assert first.unit_error.value == pytest.approx(9 * x.mean() / table.target.std())


def test_parts_of_a_date_are_one_column():
    columns = tuple(Column(f"d_{part}", "numeric", "d", part) for part in ("days", "month"))
    schema = Schema(columns, Target("y", "regression"))
    table = Table(schema, Rows(np.ones((40, 2)), np.zeros((40, 0), np.int32)), np.arange(40.0))

    class Gaps:
        def __init__(self):
            self.schema = schema

        def predict(self, rows):
            return np.isnan(rows.numeric).sum(axis=1) * table.target.std()

    found, _ = fragility(Gaps(), table)
    assert [(f.column, f.missing.value, f.unit_error) for f in found] == [("d", 2.0, None)]


def test_an_answer_that_is_not_finite_has_changed(binary):
    table, model = binary
    broken = type(model)(model.schema, lambda rows: model.function(rows) + 0 * rows.numeric[:, 2:3])
    found, _ = fragility(broken, table)
    assert found[0].column == "x2"
    assert found[0].missing.value == 1.0


def test_what_is_not_looked_at_is_named(binary):
    table, model = binary
    found, left = fragility(model, table, columns=2)
    assert len(found) == 2
    assert left == (("fragility: 3 columns from 'x2' on", "only 2 are looked at"),)
    none, late = fragility(model, table, budget_seconds=0.0)
    assert none == ()
    assert late == (("fragility: 5 columns from 'x0' on", "no time left"),)


def test_an_answer_changes_where_the_given_one_does():
    """Chances of 0.3 and 0.4: most probable is no for both; at a threshold of 0.35 they are no and yes."""
    schema = Schema((Column("x", "numeric", "x"),), Target("y", "binary", ("no", "yes")))
    rows = Rows(np.full((60, 1), 0.4), np.zeros((60, 0), np.int32))

    class Model:
        decision = None

        def __init__(self):
            self.schema = schema

        def predict(self, rows):
            yes = np.where(np.isfinite(rows.numeric[:, 0]), 0.4, 0.3)
            return np.stack([1 - yes, yes], axis=1)

    model, table = Model(), Table(schema, rows, np.ones(60, dtype=np.int64))
    assert fragility(model, table)[0][0].missing.value == 0.0
    model.decision = Decision(Costs(("no", "yes"), ((0.0, 0.35), (0.65, 0.0))))
    assert fragility(model, table)[0][0].missing.value == 1.0
