from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from temperance.data import encode as module
from temperance.data.base import Contents
from temperance.data.encode import category_codes, encode, require
from temperance.records.errors import DataError
from temperance.records.rows import rows_from_records
from temperance.records.schema import MISSING, UNSEEN, Column, Schema, Target

SCHEMA = Schema(
    (
        Column("n", "numeric", "n"),
        Column("d", "numeric", "d", "days", format="iso"),
        Column("d.month", "numeric", "d", "month", format="iso"),
        Column("c", "categorical", "c", vocabulary=("a", "b")),
        Column("t", "categorical", "t", vocabulary=("false", "true")),
    ),
    Target("y", "binary", ("0", "1")),
)
FRAME = pl.DataFrame(
    {
        "n": ["1", "x", "inf", None, "-"],
        "d": ["2024-02-01", "2024-03-05 12:00", "nonsense", "NA", ""],
        "c": ["a", " b ", "z", "?", "A"],
        "t": ["True", "FALSE", "no", None, "true"],
    }
)


def test_columns_by_hand() -> None:
    rows, misfits = encode(Contents(FRAME, "set", "f" * 64), SCHEMA, np.array([True, True, True, False, True]), None)
    nan = np.nan
    np.testing.assert_array_equal(rows.numeric[:, 0], [1, nan, nan, nan])
    np.testing.assert_array_equal(rows.numeric[:, 1], [19754, 19787.5, nan, nan])
    np.testing.assert_array_equal(rows.numeric[:, 2], [2, 3, nan, nan])
    assert rows.categorical.tolist() == [[0, 1], [1, 0], [UNSEEN, UNSEEN], [0, 1]]
    notes = [one.sentence for one in misfits]
    assert any("words where numbers (like 1234.5) belong ('x')" in note for note in notes)
    assert any("1 infinite" in note for note in notes)
    assert any("unknown categories" in note for note in notes)


def test_a_file_and_requests_give_the_same_rows() -> None:
    good = FRAME.with_columns(
        pl.Series("n", ["1", "2.5", "?", None, "-"]), pl.Series("d", ["2024-02-01", "", None, "NA", "-"])
    )
    rows, _ = encode(Contents(good, "set", "f" * 64), SCHEMA, np.ones(5, dtype=bool), None)
    asked = rows_from_records(SCHEMA, good.to_dicts())
    np.testing.assert_array_equal(rows.numeric, asked.numeric)
    np.testing.assert_array_equal(rows.categorical, asked.categorical)


def test_typed_columns_against_a_schema_of_text() -> None:
    series = pl.Series("c", [1.0, 2.0, None])
    column = Column("c", "categorical", "c", vocabulary=("1", "3"))
    assert category_codes(series, column).tolist() == [0, UNSEEN, MISSING]
    assert category_codes(pl.Series("c", [1, 3]), column).tolist() == [0, 1]
    nothing = pl.Series("c", [None, None])
    assert category_codes(nothing, column).tolist() == [MISSING, MISSING]


def test_absent_columns_are_named_once() -> None:
    contents = Contents(FRAME.drop("d", "c"), "set", "")
    with pytest.raises(DataError, match=r"2 columns: 'd', 'c'"):
        require(contents, SCHEMA.columns)


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "LARGE_BYTES", 1)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError, match="No space left") as caught:
        encode(Contents(FRAME, "set", "f" * 64), SCHEMA, np.ones(5, dtype=bool), tmp_path)
    assert "disk space" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_images_are_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE_BYTES", 1)
    pixels = np.random.default_rng(0).integers(0, 256, (10, 4, 4, 1), dtype=np.uint8)
    keep = np.arange(10) % 2 == 0
    contents = Contents(pl.DataFrame(), "set", "f" * 64, images=pixels)
    rows, _ = encode(contents, SCHEMA, keep, tmp_path)
    assert isinstance(rows.images, np.memmap)
    np.testing.assert_array_equal(rows.images, pixels[keep])
