"""Damaged tables in each format: they are read, or refused in the package's own words; no code runs."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.fuzz.mutation import damaged, repacked, traps

from temperance.data import read
from temperance.records.errors import DataError, TemperanceError

ROWS = 24
RNG = np.random.default_rng(5)
FRAME = pl.DataFrame({
    "n": RNG.normal(size=ROWS).round(3).tolist(),
    "day": [f"2024-03-{i + 1:02d}" for i in range(ROWS)],
    "c": RNG.choice(["red", "blue, deep", 'a "b"'], ROWS).tolist(),
    "y": (["yes", "no"] * ROWS)[:ROWS],
})  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One small table in each format that needs no further package."""
    folder = tmp_path_factory.mktemp("tables")
    text = FRAME.write_csv()
    FRAME.write_parquet(folder / "a.parquet")
    FRAME.write_ipc(folder / "a.arrow")
    np.savez_compressed(folder / "a.npz", X=RNG.normal(size=(ROWS, 3)), y=np.arange(ROWS) % 2)
    base = sqlite3.connect(folder / "a.sqlite")
    base.execute("create table t (n real, day text, c text, y text)")
    base.executemany("insert into t values (?, ?, ?, ?)", FRAME.rows())
    base.commit()
    base.close()
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.csv", text)
    arff = "@relation a\n@attribute n numeric\n@attribute y {yes,no}\n@data\n"
    arff += "\n".join(f"{n},{y}" for n, y in zip(FRAME["n"], FRAME["y"], strict=True))
    found = {p.name: p.read_bytes() for p in sorted(folder.iterdir())}
    found |= {
        "a.csv": text.encode(),
        "semicolon.csv": text.replace(",", ";").encode("utf-16"),
        "a.csv.gz": gzip.compress(text.encode()),
        "a.json": json.dumps(FRAME.to_dicts()).encode(),
        "a.jsonl": "\n".join(json.dumps(row) for row in FRAME.to_dicts()).encode(),
        "a.arff": arff.encode(),
    }
    return found


def damage(count: int, files: dict[str, bytes], folder: Path, seed: int) -> Counter[str]:
    """Damage files in turn, and read each."""
    generator, seen, names = np.random.default_rng(seed), Counter[str](), list(files)
    for i in range(count):
        name = names[i % len(names)]
        anew = name.endswith((".npz", ".zip")) and generator.random() < 0.5
        path = folder / name
        path.write_bytes((repacked if anew else damaged)(files[name], generator))
        try:
            read(str(path), target="y" if not name.endswith(".npz") else None)
            seen["read"] += 1
        except TemperanceError:
            seen["refused"] += 1
        except BaseException as error:
            kept = folder / f"bad-{seed}-{i}-{name}"
            path.rename(kept)
            raise AssertionError(f"{name}, seed {seed}, number {i}: {type(error).__name__}: {error}") from error
    return seen


def test_each_file_can_be_read_as_it_is(files: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        reading = read(str(tmp_path / name), target="y" if not name.endswith(".npz") else None)
        assert len(reading.table) == ROWS, name


def test_damaged_tables(files: dict[str, bytes], tmp_path: Path) -> None:
    seen = damage(400, files, tmp_path, 0)
    assert seen.total() == 400
    assert min(seen["read"], seen["refused"]) > 40


@pytest.mark.slow
def test_a_hundred_thousand_damaged_tables(files: dict[str, bytes], tmp_path: Path) -> None:
    assert damage(100_000, files, tmp_path, 1).total() == 100_000


def test_an_archive_whose_names_are_no_text(tmp_path: Path) -> None:
    """Found by 3,173 damaged files: the name says it is UTF-8 and is not."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("é.csv", "x,y\n1,2\n3,4\n")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\x80\x80"))
    with pytest.raises(DataError, match="cannot be unpacked"):
        read(str(path), target="y")


def test_files_that_would_run_code_are_refused(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    for name, content in traps(marker):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TemperanceError):
            read(str(tmp_path / name), target="y")
        assert not marker.exists(), name
