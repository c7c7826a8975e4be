import numpy as np

from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def test_taking_rows_takes_all_that_belongs_to_them() -> None:
    schema = Schema((Column("x", "numeric"),), Target("y", "regression"))
    rows = Rows(np.arange(4.0)[:, None], np.zeros((4, 0), dtype=np.int32))
    weight = np.array([1.0, 2, 3, 4])
    table = Table(schema, rows, np.arange(4.0) * 10, np.arange(4), np.arange(4.0) + 100, "rows", "abc", weight)
    part = table.take(np.array([3, 1]))
    assert len(table) == 4
    assert part.rows.numeric[:, 0].tolist() == [3.0, 1.0]
    assert part.target.tolist() == [30.0, 10.0]
    assert part.group is not None
    assert part.time is not None
    assert (part.group.tolist(), part.time.tolist()) == ([3, 1], [103.0, 101.0])
    assert part.weight is not None
    assert part.weight.tolist() == [4.0, 2.0]
    assert (part.name, part.fingerprint) == ("rows", "abc")
    bare = Table(schema, rows, np.arange(4.0)).take(np.array([0]))
    assert bare.group is None
    assert bare.time is None
    assert bare.weight is None
