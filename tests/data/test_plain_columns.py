from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from temperance.data import columns as looks
from temperance.data import csv_file, judge, plain_columns, read
from temperance.data.csv_file import CsvFile
from temperance.data.plain_columns import COMMA, OnePass, style_of
from temperance.data.values import PLAIN
from temperance.records.errors import DataError

ROWS = 600


def write(path: Path, columns: dict[str, list[Any]], separator: str = ";", end: str = "\n") -> Path:
    lines = [separator.join(columns), *(separator.join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_bytes((end.join(lines) + end).encode())
    return path


def opened(path: Path, scratch: Path) -> OnePass | None:
    scratch.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_columns, "CHUNK", 500)
        patch.setattr(judge, "LOOK", 16)
        patch.setattr(judge, "WHOLE", 100)
        return CsvFile(path, large_bytes=1, apart=("y",)).open(scratch).once


@pytest.fixture
def columns() -> dict[str, list[Any]]:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=ROWS).round(3)
    return {
        "a": [str(x).replace(".", ",") for x in numbers],
        "n": [str(i % 7) if i % 5 else "" for i in range(ROWS)],
        "day": [f"{1 + i % 28:02d}.02.2020" for i in range(ROWS)],
        "y": ["yes", "no"] * (ROWS // 2),
    }


def test_plain_columns_are_read_as_numbers(columns, tmp_path: Path) -> None:
    once = opened(write(tmp_path / "a.csv", columns), tmp_path / "s")
    assert once is not None
    assert once.rows == ROWS
    assert {name: one.style for name, one in once.plain.items()} == {"a": COMMA, "n": PLAIN}
    expected = np.array([float(x.replace(",", ".")) for x in columns["a"]])
    assert np.array_equal(once.plain["a"].values(), expected)
    assert np.array_equal(once.plain["n"].values(), [float(x) if x else np.nan for x in columns["n"]], equal_nan=True)
    assert once.plain["a"].sample.to_list() == columns["a"][::6]
    assert once.plain["n"].sample.to_list() == [x for x in columns["n"][:: ROWS // 16] if x]
    assert once.plain["n"].head.to_list() == [x for x in columns["n"] if x][:16]
    assert {name: frame.select(name).collect()[name].to_list() for name, frame in once.texts.items()} == {
        "day": columns["day"], "y": columns["y"]
    }  # fmt: skip


@pytest.mark.parametrize(
    "cell",
    ["x", "007", " 5", "\t5", "5 ", "1.5", "5.", ".5", "nan", "inf", "1e400", "12345678901234567890", "1.234,5", "NA"],
)
@pytest.mark.parametrize("name", ["a", "n"])
@pytest.mark.parametrize("place", [300, ROWS - 1])
def test_one_doubtful_cell_far_down_gives_the_column_back_to_its_text(
    columns, tmp_path: Path, cell: str, name: str, place: int
) -> None:
    columns[name][place] = cell
    once = opened(write(tmp_path / "a.csv", columns), tmp_path / "s")
    assert once is not None
    assert name not in once.plain
    found = once.texts[name].select(name).collect()[name]
    assert [cell or "" for cell in found.to_list()] == columns[name]


def test_a_comma_far_down_in_whole_numbers_gives_them_back(columns, tmp_path: Path) -> None:
    columns["n"][500] = "1,0"
    once = opened(write(tmp_path / "a.csv", columns), tmp_path / "s")
    assert once is not None
    assert list(once.plain) == ["a"]


@pytest.mark.parametrize("line", [";;;", "1;2", "1;2;3;4;5", "", '"1";2;3;no'])
def test_lines_that_are_not_even_go_the_other_road(columns, tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "a.csv", columns)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:400], line, *lines[400:]]) + "\n")
    assert opened(path, tmp_path / "s") is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_ends_of_lines(columns, tmp_path: Path, end: str, last: bool) -> None:
    path = write(tmp_path / "a.csv", columns, end=end)
    if not last:
        path.write_bytes(path.read_bytes()[: -len(end)])
    once = opened(path, tmp_path / "s")
    assert once is not None
    assert set(once.plain) == {"a", "n"}
    assert once.rows == ROWS


def test_a_style_is_that_of_all_first_cells() -> None:
    assert style_of(pl.Series(["1.5", None, "-2"])) == PLAIN
    assert style_of(pl.Series(["1,5", "3"])) == COMMA
    assert style_of(pl.Series(["1,5", "3.5"])) is None
    assert style_of(pl.Series(["007", "3"])) is None
    assert style_of(pl.Series([None, None], dtype=pl.String)) is None


def test_what_is_asked_for_as_text_is_given_so(columns, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "LOOK", 16)
        contents = CsvFile(path, large_bytes=1).open(tmp_path)
        assert contents.column("a").to_list() == columns["a"]
        assert contents.column("y").to_list() == columns["y"]
        assert contents.rows == ROWS
        assert contents.plain_column("a") is not None
        assert contents.plain_column("y") is None
    with pytest.raises(DataError, match="'b'"):
        contents.column("b")


def test_it_is_asked_for_once(columns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of plain columns is read without the road of texts."""
    monkeypatch.setattr(csv_file, "_spilled", lambda *_: pytest.fail("spilled"))
    monkeypatch.setattr(judge, "WHOLE", 100)
    monkeypatch.setattr(judge, "LOOK", 16)
    asked: list[str] = []
    infer = looks.infer

    def watched(series: pl.Series, **rest: Any) -> Any:
        asked.append(series.name)
        return infer(series, **rest)

    monkeypatch.setattr(looks, "infer", watched)
    reading = read(CsvFile(write(tmp_path / "a.csv", columns), large_bytes=1, apart=("y",)), target="y")
    assert asked == ["day"]
    assert len(reading.table) == ROWS
