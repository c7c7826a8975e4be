from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temperance.data import csv_file, read, sampling
from temperance.data.choices import Choices
from temperance.data.sampling import ALL, Cap, cap_of, draw, lines_about, memory_bytes
from temperance.records.errors import DataError


def cut(frame: pl.DataFrame, sizes: list[int]) -> Iterator[pl.DataFrame]:
    start = 0
    for size in [*sizes, frame.height]:
        yield frame.slice(start, size)
        start += size


@settings(deadline=None)
@given(rows=st.integers(1, 400), most=st.integers(1, 60), sizes=st.lists(st.integers(1, 90), max_size=12))
def test_a_draw_does_not_depend_on_the_cut_and_keeps_the_order(rows: int, most: int, sizes: list[int]) -> None:
    frame = pl.DataFrame({"row": np.arange(rows), "text": [f"text number {i} of many" for i in range(rows)]})
    drawn = draw(cut(frame, sizes), most)
    at_once = draw([frame], most)
    assert drawn.total == at_once.total == rows
    assert drawn.frame.equals(at_once.frame)
    assert drawn.frame.height == min(rows, most)
    found = drawn.frame["row"].to_numpy()
    assert (np.diff(found) > 0).all()
    assert drawn.frame["text"].to_list() == [f"text number {i} of many" for i in found]


def test_each_row_is_as_likely_as_any_other() -> None:
    rows, most, draws = 40, 10, 2000
    frame = pl.DataFrame({"row": np.arange(rows)})
    hits = np.zeros(rows)
    for seed in range(draws):
        hits[draw(cut(frame, [7, 7, 7]), most, seed=seed).frame["row"].to_numpy()] += 1
    expected = draws * most / rows
    chi = float(((hits - expected) ** 2 / (expected * (1 - most / rows))).sum()) * (rows - 1) / rows
    assert 15.0 < chi < 75.0  # 39 degrees of freedom; both ends are beyond 1 in 1,000


def test_a_draw_holds_little_more_than_the_sample() -> None:
    held = []

    def batches() -> Iterator[pl.DataFrame]:
        for start in range(0, 200_000, 500):
            yield pl.DataFrame({"row": np.arange(start, start + 500)})

    def watched(frames: list[pl.DataFrame], *rest: object) -> tuple[pl.DataFrame, object]:
        held.append(sum(frame.height for frame in frames))
        return smallest(frames, *rest)

    smallest = sampling._smallest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "_smallest", watched)
        assert draw(batches(), 2000).total == 200_000
    assert held
    assert max(held) <= 2000 * (1 + sampling.SPARE) + 500


def test_nothing_to_draw_from() -> None:
    with pytest.raises(DataError, match="no rows"):
        draw([], 10)


def test_a_cap_says_what_is_drawn() -> None:
    assert ALL.most(10) == 0
    assert cap_of(Choices(), None, answered=True) == ALL
    assert cap_of(Choices(rows=500), None, answered=False).most(9) == 500
    assert cap_of(Choices(rows=500, lags=(1,)), None, answered=False) == Cap(500, whole=True)
    assert cap_of(Choices(id="k"), None, answered=False).most(9) == 0
    automatic = cap_of(Choices(), None, answered=False)
    assert automatic.most(10) == max(sampling.LEAST, int(memory_bytes() / 16 / 80))
    assert memory_bytes() > 2**28


def test_the_machine_decides_where_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part in range(4):
        x = rng.normal(size=5000)
        pl.DataFrame({"x": x, "y": (x > 0).astype(int)}).write_parquet(folder / f"{part}.parquet")
    monkeypatch.setattr("temperance.data.parquet_file.ParquetFiles.large_bytes", 0, raising=False)
    monkeypatch.setattr(sampling, "LEAST", 10)
    monkeypatch.setattr(sampling, "memory_bytes", lambda: 16 * 8 * 2 * 3000)
    monkeypatch.setattr("temperance.data.source.ParquetFiles", _small(folder))
    reading = read(folder, target="y")
    assert len(reading.table) == 3000
    assert reading.notes[0].startswith("The data have 20,000 rows. A uniform random sample of 3,000 of them was read")
    assert "16th of this machine's memory" in reading.notes[0]
    assert reading.to_dict()["notes"][0] == reading.notes[0]


def _small(folder: Path) -> object:
    from temperance.data.parquet_file import ParquetFiles

    return lambda path: ParquetFiles(path, large_bytes=0)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_rows_in_memory_of_a_file(tmp_path: Path, ending: str) -> None:
    x = np.random.default_rng(0).normal(size=2000)
    frame = pl.DataFrame({"x": x, "y": np.where(x > 0, "yes", "no")})
    path = tmp_path / f"a.{ending}"
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    reading = read(path, target="y", choices=Choices(rows=300))
    assert len(reading.table) == 300
    assert "as --rows-in-memory asks" in reading.notes[0]
    again = read(path, target="y", choices=Choices(rows=300))
    assert np.array_equal(reading.table.rows.numeric, again.table.rows.numeric)
    assert set(reading.table.rows.numeric[:, 0]) <= set(x)
    known = read(path, target="y", schema=reading.table.schema, choices=Choices(rows=300))
    assert len(known.table) == 300
    assert len(read(path, schema=reading.table.schema, choices=Choices(rows=300)).table) == 2000
    assert len(read(path, target="y", choices=Choices(rows=2000)).table) == 2000


def test_a_large_text_file_is_drawn_in_its_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=4000)
    path = tmp_path / "a.csv"
    pl.DataFrame({"x": x, "y": np.where(x > 0, "yes", "no")}).write_csv(path)
    small = csv_file.CsvFile(path, large_bytes=1000, cap=Cap(400))
    monkeypatch.setattr(csv_file, "_spilled", lambda *_: pytest.fail("the whole file was written"))
    contents = small.open(tmp_path)
    assert contents.frame.lazy().collect().height == 400
    assert contents.notes[0].startswith("The data have 4,000 rows.")
    about = csv_file.CsvFile(path, large_bytes=1000, cap=Cap(5000)).open(tmp_path)
    assert about.frame.lazy().collect().height == 4000
    assert not about.notes


def test_a_sample_of_what_belongs_together_is_refused(tmp_path: Path) -> None:
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2022, 1, 1), eager=True)
    path = tmp_path / "a.csv"
    pl.DataFrame({"day": days, "v": np.arange(len(days)) % 17 * 1.5}).write_csv(path)
    with pytest.raises(DataError, match="belong together"):
        read(path, target="v", time="day", choices=Choices(rows=200, lags=(1, 7)))
    with pytest.raises(DataError, match="images"):
        read((np.zeros((30, 8, 8), np.uint8), np.arange(30) % 2), choices=Choices(rows=10))
    with pytest.raises(DataError, match="series"):
        read((np.random.default_rng(0).normal(size=(30, 2, 50)), np.arange(30) % 2), choices=Choices(rows=10))


def test_lines_are_guessed_by_the_first_ones() -> None:
    assert lines_about(b"ab\n" * 10, 3000) == 1000
    assert lines_about(b"", 10) == 10


def test_the_memory_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("1000000\n")
    monkeypatch.setattr(sampling, "_LIMITS", (limit, tmp_path / "absent"))
    assert memory_bytes() == 1_000_000
    limit.write_text("max\n")
    assert memory_bytes() > 2**28
