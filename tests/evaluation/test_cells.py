from __future__ import annotations

import numpy as np

from temperance.evaluation.cells import Cells, belongs, blank, of_columns, taken
from temperance.records.schema import MISSING, Column, Rows, Schema, Target

SCHEMA = Schema(
    (
        Column("day", "numeric", "day", "days"), Column("day.month", "numeric", "day", "month"),
        Column("c", "categorical", vocabulary=("x", "y")), Column("msg", "text"), Column("note", "text"),
    ),
    Target("y", "regression"),
)  # fmt: skip


def rows() -> Rows:
    texts = np.array([["a", "b"], [None, "d"]], dtype=object)
    return Rows(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0], [1]], dtype=np.int32), text=texts)


def test_the_parts_of_a_date_belong_to_its_column() -> None:
    assert belongs(SCHEMA.numeric[1], ("day",))
    cells = of_columns(SCHEMA, ("day", "note"))
    assert [mask.tolist() for mask in cells] == [[True, True], [False], [False, True], []]


def test_blank_cells_are_missing_and_the_rest_stays() -> None:
    found = blank(rows(), of_columns(SCHEMA, ("day", "note")))
    assert np.isnan(found.numeric).all()
    assert found.categorical.tolist() == [[0], [1]]
    assert found.text is not None
    assert found.text.tolist() == [["a", None], [None, None]]
    assert blank(rows(), of_columns(SCHEMA, ("c",))).categorical.tolist() == [[MISSING], [MISSING]]


def test_cells_come_from_other_rows_cell_by_cell() -> None:
    one = rows()
    mask = np.array([[True, False], [False, True]])
    found = taken(one, one.take(np.array([1, 0])), Cells(mask, np.array([[True], [False]]), mask))
    assert found.numeric.tolist() == [[3.0, 2.0], [3.0, 2.0]]
    assert found.categorical.tolist() == [[1], [1]]
    assert found.text is not None
    assert found.text.tolist() == [[None, "b"], [None, "b"]]


def test_a_table_without_text() -> None:
    plain = rows()._replace(text=None)
    assert blank(plain, of_columns(SCHEMA, ("day",))).text is None
    assert taken(plain, plain, of_columns(SCHEMA, ("day",))).text is None
