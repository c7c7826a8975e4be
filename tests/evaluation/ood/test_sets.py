import numpy as np

from temperance.evaluation.ood.sets import far, near
from temperance.records.schema import UNSEEN, Column, Rows, Schema, Target


def test_near_keeps_every_column_s_values_and_dates_together(binary):
    table, _ = binary
    made = near(table.rows, table.schema, seed=1)
    for j in range(4):
        assert np.array_equal(np.sort(made.numeric[:, j]), np.sort(table.rows.numeric[:, j]))
    assert np.array_equal(np.bincount(made.categorical[:, 0]), np.bincount(table.rows.categorical[:, 0]))
    assert abs(np.corrcoef(made.numeric[:, 0], table.rows.numeric[:, 0])[0, 1]) < 0.15
    parts = tuple(Column(p, "numeric", "day", p) for p in ("days", "month"))
    schema = Schema((*parts, Column("x", "numeric", "x")), Target("y", "binary", ("a", "b")))
    x = np.tile(np.arange(50.0)[:, None], (1, 3))
    dated = near(Rows(x, np.zeros((50, 0), np.int32)), schema).numeric
    assert np.array_equal(dated[:, 0], dated[:, 1])
    assert not np.array_equal(dated[:, 0], dated[:, 2])


def test_far_lies_ten_ranges_outside(binary):
    table, _ = binary
    made = far(table.rows, table.schema)
    low, high = table.rows.numeric.min(axis=0), table.rows.numeric.max(axis=0)
    outside = np.maximum(low - made.numeric, made.numeric - high) / (high - low)
    assert (outside >= 10).all()
    assert (outside <= 20).all()
    assert (made.categorical == UNSEEN).all()


def test_pictures(pictures):
    table, _ = pictures
    mixed, noise = near(table.rows, table.schema), far(table.rows, table.schema)
    assert np.array_equal(mixed.images[:, :6, :6], table.rows.images[:, 6:, 6:])
    assert noise.images.dtype == np.uint8
    assert noise.images.std() > 60
