from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from temperance import data
from temperance.records.errors import DataError


def parts(folder: Path) -> Path:
    folder.mkdir()
    for name, rows in (("a", range(20)), ("b", range(20, 40))):
        pl.DataFrame({"x": [v * 0.5 for v in rows], "y": [v % 2 for v in rows]}).write_parquet(
            folder / f"{name}.parquet"
        )
    return folder


def test_a_folder_of_parquet_is_one_table(tmp_path: Path) -> None:
    reading = data.read(parts(tmp_path / "set"), target="y")
    assert len(reading.table) == 40
    assert reading.table.name == "set"
    assert "2 Parquet files" in reading.notes[0]


def test_damaged_and_empty_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        data.read(path, target="y")
    path.write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        data.read(path, target="y")
    pl.DataFrame({"y": pl.Series([], dtype=pl.Int64)}).write_parquet(path)
    with pytest.raises(DataError, match="no rows"):
        data.read(path, target="y")


def test_a_column_that_some_files_lack_is_said(tmp_path: Path) -> None:
    folder = parts(tmp_path / "set")
    assert len([note for note in data.read(folder, target="y").notes if "lack" in note]) == 0
    rows = range(40, 60)
    more = {"x": [v * 0.5 for v in rows], "z": [v * 0.3 for v in rows], "y": [v % 2 for v in rows]}
    pl.DataFrame(more).write_parquet(folder / "c.parquet")
    notes = data.read(folder, target="y").notes
    said = "Columns that some of the 3 files lack count as missing in their rows: 'z' in 2 (such as a.parquet)."
    assert said in notes
