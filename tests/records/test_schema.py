import json

import numpy as np

from temperance.records.schema import MISSING, UNSEEN, Column, Rows, Schema, Target

SCHEMA = Schema(
    (Column("age", "numeric", low=1.0, high=9.0), Column("colour", "categorical", vocabulary=("red", "(unseen)"))),
    Target("y", "binary", ("no", "yes")),
    notes=("a note",),
)


def test_it_comes_back_from_json() -> None:
    row = json.loads(json.dumps(SCHEMA.to_dict()))
    again = Schema.from_dict(row)
    assert again == SCHEMA
    assert again.notes == SCHEMA.notes
    assert [c.name for c in again.numeric] == ["age"]
    assert [c.name for c in again.categorical] == ["colour"]


def test_categories_become_codes_and_back() -> None:
    codes = SCHEMA.encode([["red"], [""], ["blue"]])
    assert codes.tolist() == [[0], [MISSING], [UNSEEN]]
    words = SCHEMA.decode(codes)
    assert words[0, 0] == "red"
    assert words[1, 0] == ""
    assert words[2, 0] not in SCHEMA.categorical[0].vocabulary  # a stranger stays one
    assert SCHEMA.encode(words).tolist() == codes.tolist()


def test_outputs() -> None:
    assert SCHEMA.target.outputs == 2
    assert Target("y", "regression").outputs == 1


def test_rows_are_counted_and_taken() -> None:
    table = Rows(np.arange(6.0).reshape(3, 2), np.zeros((3, 0), dtype=np.int32))
    assert table.size == 3
    assert table.take(np.array([2, 0])).numeric.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    pictures = Rows(np.empty((0, 0)), np.empty((0, 0), dtype=np.int32), np.zeros((4, 2, 2, 1), dtype=np.uint8))
    assert pictures.size == 4


def test_texts_and_series_go_with_their_rows() -> None:
    texts = np.array([["a"], [None], ["c"]], dtype=object)
    series = np.arange(6, dtype=np.float32).reshape(3, 1, 2)
    rows = Rows(np.zeros((3, 0)), np.zeros((3, 0), dtype=np.int32), text=texts, series=series)
    part = rows.take(np.array([2, 0]))
    assert part.text is not None
    assert part.text.tolist() == [["c"], ["a"]]
    both = Rows.stack((part, rows.take(slice(1, 2))))
    assert both.size == 3
    assert both.text is not None
    assert both.text.tolist() == [["c"], ["a"], [None]]
    assert both.series is not None
    assert both.series[:, 0, 0].tolist() == [4.0, 0.0, 2.0]
    assert both.images is None
