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
