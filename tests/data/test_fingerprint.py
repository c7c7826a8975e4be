from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from temperance.data import fingerprint


def test_files_and_folders(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc")
    two.write_bytes(b"xyz")
    assert fingerprint.of_file(one) == hashlib.sha256(b"abc").hexdigest()
    whole = fingerprint.of_files([one, two], root=tmp_path)
    assert whole != fingerprint.of_files([two, one], root=tmp_path)
    two.write_bytes(b"xyZ")
    assert whole != fingerprint.of_files([one, two], root=tmp_path)


def test_arrays_by_type_shape_and_value() -> None:
    base = np.arange(6)
    seen = {
        fingerprint.of_arrays(arrays)
        for arrays in ([base], [base.reshape(2, 3)], [base.astype(float)], [base + 1], [base, base])
    }
    assert len(seen) == 5
    assert fingerprint.of_arrays([base[::2]]) == fingerprint.of_arrays([base[::2].copy()])


def test_frames_by_name_type_and_value() -> None:
    base = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    others = [
        base.rename({"a": "c"}),
        base.with_columns(pl.col("a").cast(pl.Float64)),
        base.with_columns(b=pl.Series(["x", "y"])),
        base.with_columns(b=pl.Series([["x"], None])),
    ]
    assert len({fingerprint.of_frame(frame) for frame in (base, *others)}) == 5
    assert fingerprint.of_frame(base) == fingerprint.of_frame(base.clone())


def test_rows_are_known_in_any_order_of_rows_and_columns() -> None:
    frame = pl.DataFrame({"a": ["1", "2.0", None, "x"], "b": ["p", "q", "r", "s"]})
    known = fingerprint.of_rows(frame)
    assert fingerprint.of_rows(frame[[3, 0, 2, 1]].select("b", "a").lazy()) == known
    assert fingerprint.of_rows(frame.with_columns(a=pl.Series(["1.0", "2", None, " x"]))) == known
    assert fingerprint.of_rows(frame[[0, 1, 2]]) != known
    assert fingerprint.of_rows(frame.with_columns(b=pl.Series(["p", "q", "s", "r"]))) != known
    assert fingerprint.of_rows(pl.DataFrame({"a": [1.0, 2.0]})) == fingerprint.of_rows(pl.DataFrame({"a": [2, 1]}))


def test_rows_of_pictures_are_known_in_any_order() -> None:
    images = np.arange(24, dtype=np.uint8).reshape(3, 2, 2, 2)
    labels = pl.DataFrame({"y": ["a", "b", "c"]})
    known = fingerprint.of_rows(labels, images)
    assert fingerprint.of_rows(labels[[2, 0, 1]], images[[2, 0, 1]]) == known
    assert fingerprint.of_rows(labels, images[[2, 0, 1]]) != known
    assert fingerprint.of_rows(pl.DataFrame(), images) == fingerprint.of_rows(pl.DataFrame(), images[::-1])
