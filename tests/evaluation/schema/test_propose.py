import numpy as np
import pytest

from temperance.evaluation.schema.propose import propose, robust_scale
from temperance.evaluation.schema.rules import Sum
from temperance.evaluation.schema.space import Space
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def test_what_always_held_is_proposed_and_every_row_keeps_it(loans):
    found = propose(loans)
    assert found.sums == (Sum(("first", "second"), "owed"),)
    assert found.at_most == (("paid", "owed"),)
    assert found.one_of == (("is_a", "is_b", "is_c"),)
    assert found.columns["age"].integer
    assert (found.columns["age"].low, found.columns["age"].high) == (18.0, 89.0)
    assert Space(found, loans.schema).sound(loans.rows).all()


def test_unrelated_columns_have_no_relations_and_dates_and_still_columns_are_fixed():
    g = np.random.default_rng(1)
    x = g.normal(size=(400, 6))
    x[:, 4], x[:, 5] = 3.0, np.nan
    columns = [Column(f"x{j}", "numeric", f"x{j}") for j in range(6)]
    columns[0] = Column("day", "numeric", "date", "days")
    schema = Schema(tuple(columns), Target("y", "binary", ("a", "b")))
    found = propose(Table(schema, Rows(x, np.zeros((400, 0), np.int32)), np.zeros(400, np.int64)))
    assert (found.sums, found.at_most, found.one_of) == ((), (), ())
    assert [found.columns[name].change for name in ("day", "x1", "x4", "x5")] == ["fixed", "free", "fixed", "fixed"]


def test_scale_is_robust():
    g = np.random.default_rng(2)
    values = np.append(g.normal(0, 3, 2000), [1e9, np.inf, np.nan])
    assert robust_scale(values) == pytest.approx(3.0, rel=0.1)
    assert robust_scale(np.array([np.nan])) == 1.0
    assert robust_scale(np.zeros(5)) == 1.0
