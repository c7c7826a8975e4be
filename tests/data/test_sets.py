from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from temperance.data import read
from temperance.data.choices import choose
from temperance.data.sets import BRACKETS, cut_of
from temperance.records.rows import rows_from_records
from temperance.records.schema import Schema

CELLS = ("red;blue", "red", "green;red", "blue")


def written(path: Path, cells: list[str]) -> Path:
    lines = [f'"{cell}",{i % 7},{("yes", "no")[i % 2]}' for i, cell in enumerate(cells)]
    (path / "a.csv").write_text("\n".join(["x,b,y", *lines, ""]))
    return path / "a.csv"


@pytest.mark.parametrize(
    ("cells", "sign", "sure"),
    [
        (CELLS, ";", True),
        (("red|blue", "red", "blue"), "", False),  # one cell with several only
        (("red, blue", "red", "green, red", "blue"), ",", False),
        (("drama/comedy", "drama", "action/drama", "comedy"), "/", False),
        (("['a', 'b']", "['a']", "[]"), BRACKETS, True),
        (("{a,b}", "{a}"), BRACKETS, True),
        (("[1, 2]", "[2, 2]", "[3, 1]"), BRACKETS, False),
        (("Paris, France", "Lyon, France", "Rome, Italy"), "", False),
        (("120/80", "110/70"), "", False),
        (("a", "b"), "", False),
    ],
)
def test_what_holds_several_values(cells: tuple[str, ...], sign: str, sure: bool) -> None:
    cut = cut_of(pl.Series("x", [cells[i % len(cells)] for i in range(60)]))
    assert (cut.sign, cut.sure) == (sign, sure)


def test_a_column_for_each_value_and_requests_alike(tmp_path: Path) -> None:
    cells = [CELLS[i % 4] for i in range(60)] + ["", "red;rare"]
    reading = read(written(tmp_path, cells), target="y")
    schema = Schema.from_dict(reading.table.schema.to_dict())
    names = [column.name for column in schema.numeric]
    assert names == ["x has blue", "x has green", "x has red", "b"]
    expected = [[float(w in c.split(";")) if c else np.nan for w in ("blue", "green", "red")] for c in cells]
    np.testing.assert_array_equal(reading.table.rows.numeric[:, :3], expected)
    assert any("'red;blue'" in note and "--column 'x=category'" in note for note in reading.notes)
    found = rows_from_records(schema, [{"x": cell or None, "b": 1} for cell in cells])
    np.testing.assert_array_equal(found.numeric[:, :3], expected)
    listed = rows_from_records(schema, [{"x": ["blue", "new"], "b": 1}]).numeric[0, :3]
    np.testing.assert_array_equal(listed, [1.0, 0.0, 0.0])
    again = read(written(tmp_path, cells), schema=schema).table.rows.numeric
    np.testing.assert_array_equal(again, reading.table.rows.numeric)


def test_the_user_decides(tmp_path: Path) -> None:
    path = written(tmp_path, [("red, blue", "red", "green, red", "blue")[i % 4] for i in range(60)])
    reading = read(path, target="y")
    assert reading.table.schema.categorical[0].name == "x"
    assert any("--column 'x=set,sep=,'" in note for note in reading.notes)
    chosen = read(path, target="y", choices=choose(["x=set,sep=,"])).table.schema
    assert [column.part for column in chosen.numeric[:3]] == ["has blue", "has green", "has red"]
    other = read(written(tmp_path, [CELLS[i % 4] for i in range(60)]), target="y", choices=choose(["x=category"]))
    assert other.table.schema.categorical[0].vocabulary == tuple(sorted(CELLS))


def test_lists_of_a_frame() -> None:
    frame = pl.DataFrame({"x": [["a", "b"], ["a"], ["b"], None] * 10, "y": ["yes", "no"] * 20})
    rows = read(frame, target="y").table.rows.numeric
    np.testing.assert_array_equal(rows[:4], [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [np.nan] * 2])
