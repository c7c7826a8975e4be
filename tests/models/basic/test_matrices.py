from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from temperance.models.basic.matrices import WIDEST, CodeMatrix, FrameMatrix, LinearMatrix, TreeMatrix
from temperance.records.schema import MISSING, UNSEEN, Column, Rows, Schema, Target


def test_the_linear_matrix_by_hand() -> None:
    rows = Rows(np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]]), np.array([[0], [1], [UNSEEN]], dtype=np.int32))
    columns = (Column("a", "numeric"), Column("b", "numeric"), Column("c", "categorical", vocabulary=("u", "v")))
    matrix = LinearMatrix.fit(rows, Schema(columns, Target("y", "regression")))
    assert matrix.median.tolist() == [2.0, 5.0]
    step = 1 / np.std([1.0, 3.0, 2.0])
    expected = [[-step, 0, 0, 1, 0], [step, 0, 0, 0, 1], [0, 0, 1, 0, 0]]  # a, b (constant), a missing?, u, v
    np.testing.assert_allclose(matrix.of(rows), expected, atol=1e-12)


def test_the_tree_matrix_keeps_gaps_and_marks_categories(kit: SimpleNamespace) -> None:
    rows, _, schema = kit.made("binary")
    matrix = TreeMatrix.fit(schema)
    assert matrix.as_category == (3,)
    strange = rows.take([0])._replace(categorical=np.array([[UNSEEN]], dtype=np.int32))
    assert np.isnan(matrix.of(strange)[0, 3])
    long = Column("c", "categorical", vocabulary=tuple(str(i) for i in range(256)))
    assert TreeMatrix.fit(Schema((*schema.columns[:3], long), schema.target)).as_category == ()


def test_the_code_matrix_by_hand() -> None:
    many = tuple(str(i) for i in range(40))
    columns = (
        Column("a", "numeric"),
        Column("few", "categorical", vocabulary=("u", "v")),
        Column("many", "categorical", vocabulary=many),
    )
    matrix = CodeMatrix.fit(Schema(columns, Target("y", "regression")))
    assert matrix.levels == (2, 0)
    codes = np.array([[1, 39], [MISSING, UNSEEN]], dtype=np.int32)
    found = matrix.of(Rows(np.array([[0.1], [1e300]]), codes))
    np.testing.assert_array_equal(found, [[np.float32(0.1), 0, 1, 39], [WIDEST, 0, 0, np.nan]])


def test_the_frame_matrix_gives_words_and_nulls(kit: SimpleNamespace) -> None:
    rows, _, schema = kit.made("binary")
    strange = rows.take([0, 1])._replace(categorical=np.array([[2], [MISSING]], dtype=np.int32))
    frame = FrameMatrix(schema).of(strange)
    assert frame.columns == ["x0", "x1", "x2", "c"]
    assert frame["c"].to_list() == ["c", None]
