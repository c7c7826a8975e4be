from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from temperance.data import csv_file, parquet_file, read, source
from temperance.data.choices import Choices, choose
from temperance.data.parts import Said, read_parts
from temperance.records.errors import DataError


@pytest.fixture
def table(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=900).round(3)
    kind = np.array(["north", "south", "east"])[rng.integers(0, 3, 900)]
    plain = pl.DataFrame({"x": x, "kind": kind, "z": rng.normal(size=900), "y": np.where(x > 0, "yes", "no")})
    plain.write_csv(tmp_path / "train.csv")
    cells = [str(one) for one in x]
    for place in range(0, 900, 100):
        cells[place] = ["odd", "strange", "inf"][place // 100 % 3]
    kind[::50] = "west"
    later = pl.DataFrame({"x": cells, "kind": kind, "z": rng.normal(size=900), "more": x, "y": ["?"] * 900})
    later.write_csv(tmp_path / "later.csv")
    return tmp_path / "train.csv", tmp_path / "later.csv"


def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CsvFile", lambda path, **rest: csv_file.CsvFile(path, large_bytes=100, **rest))
    monkeypatch.setattr(source, "ParquetFiles", lambda path: parquet_file.ParquetFiles(path, large_bytes=100))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("rows", [1, 7, 300, 5000])
def test_parts_are_the_whole(table, tmp_path, monkeypatch, rows: int, ending: str) -> None:
    train, later = table
    if ending == "parquet":
        pl.read_csv(later, infer_schema=False).write_parquet(tmp_path / "later.parquet")
        later = tmp_path / "later.parquet"
    schema = read(train, target="y").table.schema
    whole = read(later, schema=schema)
    large(monkeypatch)
    parts, said = [], Said()
    for part in read_parts(later, schema=schema, rows=rows):
        parts.append(part)
        said.add(part)
    assert len(parts) == -(-900 // rows)
    assert said.rows == len(whole.table) == 900
    joined = np.concatenate([part.table.rows.numeric for part in parts])
    assert np.array_equal(joined, whole.table.rows.numeric, equal_nan=True)
    codes = np.concatenate([part.table.rows.categorical for part in parts])
    assert np.array_equal(codes, whole.table.rows.categorical)
    assert sorted(said.sentences) == sorted(whole.notes)
    assert any("6 words where numbers" in note for note in said.sentences)
    assert any("18 values of unknown categories" in note for note in said.sentences)


def test_small_and_framed_files_come_as_one(table, tmp_path, monkeypatch) -> None:
    train, later = table
    schema = read(train, target="y").table.schema
    assert [len(part.table) for part in read_parts(later, schema=schema)] == [900]
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 1, 1), eager=True)
    pl.DataFrame({"day": days, "v": np.arange(len(days)) % 7 * 1.5}).write_csv(tmp_path / "f.csv")
    framed = read(tmp_path / "f.csv", target="v", time="day", choices=Choices(lags=(1, 7))).table.schema
    large(monkeypatch)
    assert len(list(read_parts(tmp_path / "f.csv", schema=framed, rows=10))) == 1


def test_an_unknown_column_is_refused_before_the_first_answer(table, monkeypatch) -> None:
    train, later = table
    schema = read(train, target="y").table.schema
    large(monkeypatch)
    with pytest.raises(DataError, match="'nope'"):
        next(read_parts(later, schema=schema, choices=choose(["nope=number"])))
