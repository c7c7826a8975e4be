"""A table of loans with rules that hold in every row, and a model of two classes."""

import numpy as np
import pytest

from temperance.evaluation.schema.rules import ColumnRule, Rules, Sum
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


@pytest.fixture
def loans():
    g = np.random.default_rng(0)
    n = 300
    age = g.integers(18, 90, n)
    first, second = g.integers(0, 50, n) * 10.0, g.integers(1, 50, n) * 10.0
    owed = first + second
    paid = np.floor(owed * g.random(n))
    group = np.eye(3)[g.integers(0, 3, n)]
    x = np.column_stack([age, first, second, owed, paid, group]).astype(np.float64)
    codes = g.integers(0, 3, (n, 2)).astype(np.int32)
    names = ("age", "first", "second", "owed", "paid", "is_a", "is_b", "is_c")
    columns = [Column(name, "numeric", name) for name in names]
    columns += [Column(name, "categorical", name, "", ("u", "v", "w")) for name in ("city", "job")]
    schema = Schema(tuple(columns), Target("good", "binary", ("no", "yes")))
    y = (x[:, 4] / np.maximum(owed, 1) + 0.2 * group[:, 1] + 0.2 * (codes[:, 0] == 2) > 0.6).astype(np.int64)
    return Table(schema, Rows(x, codes), y)


@pytest.fixture
def rules():
    """Ages only rise, the job is fixed, the city may become two of three."""
    numbers = {
        "age": ColumnRule(18, 100, "up", True, 10.0),
        "first": ColumnRule(0, 600, "free", True, 100.0),
        "second": ColumnRule(0, 600, "free", True, 100.0),
        "owed": ColumnRule(0, 1000, "free", True, 200.0),
        "paid": ColumnRule(0, 1000, "free", True, 100.0),
        **{name: ColumnRule(0, 1, "free", True) for name in ("is_a", "is_b", "is_c")},
    }
    words = {"city": ColumnRule(values=("u", "w")), "job": ColumnRule(change="fixed")}
    return Rules(
        {**numbers, **words}, at_most=(("paid", "owed"),), sums=(Sum(("first", "second"), "owed"),),
        one_of=(("is_a", "is_b", "is_c"),),
    )  # fmt: skip


@pytest.fixture
def ask():
    """Scores of the law behind the loans."""

    def scores(rows):
        x = rows.numeric
        z = x[:, 4] / np.maximum(x[:, 3], 1) + 0.2 * x[:, 6] + 0.2 * (rows.categorical[:, 0] == 2) - 0.6
        return np.stack([-z, z], axis=1)

    return scores
