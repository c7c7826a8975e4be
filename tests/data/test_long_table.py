from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from temperance.data import read
from temperance.data.choices import choose
from temperance.records.errors import DataError, SettingError
from temperance.records.schema import Schema

ID = choose(id_column="id")


def table(rows: int = 12) -> pl.DataFrame:
    """Return series of 4 to 7 seconds with two channels, a site that stays and an answer, in mixed order."""
    rng = np.random.default_rng(0)
    found: list[dict[str, Any]] = []
    for i in range(rows):
        for t in range(4 + i % 4):
            found.append({
                "id": f"s{i}", "t": t, "x": float(rng.normal()), "z": f"{rng.normal():.3f}".replace(".", ","),
                "site": "north" if i < 6 else "south", "mood": "ab"[t % 2], "y": "yes" if i % 2 else "no",
            })  # fmt: skip
    return pl.DataFrame(found).sample(fraction=1.0, shuffle=True, seed=1)


def test_rows_of_one_id_are_one_series_in_the_order_of_time() -> None:
    frame = table()
    reading = read(frame, target="y", time="t", choices=ID)
    schema, rows = reading.table.schema, reading.table.rows
    assert [c.name for c in schema.series] == ["x", "z"]
    assert [c.name for c in schema.categorical] == ["site"]
    assert rows.series.shape == (12, 2, 7)
    for i, label in enumerate(reading.labels):
        own = frame.filter(pl.col("id") == label).sort("t")
        np.testing.assert_allclose(rows.series[i, 0, : own.height], own["x"].to_numpy(), rtol=1e-6)
        commas = own["z"].str.replace(",", ".").cast(pl.Float64).to_numpy()
        np.testing.assert_allclose(rows.series[i, 1, : own.height], commas, rtol=1e-6)
        assert np.isnan(rows.series[i, :, own.height :]).all()
        assert schema.target.classes[reading.table.target[i]] == own["y"][0]
    assert any("'mood' varies within a series and is no number" in note for note in reading.notes)
    assert reading.table.time is None


def test_later_data_is_read_the_same_way_without_answers(tmp_path: Path) -> None:
    schema = Schema.from_dict(read(table(), target="y", time="t", choices=ID).table.schema.to_dict())
    path = tmp_path / "later.csv"
    table(5).drop("y").write_csv(path)
    later = read(path, schema=schema)
    assert later.table.rows.series.shape == (5, 2, 7)
    assert len(later.labels) == 5
    with pytest.raises(DataError, match="lacks the column 'z'"):
        read(table(5).drop("z"), schema=schema)


def test_moments_without_a_row_are_missing_values() -> None:
    frame = pl.DataFrame({
        "id": ["a"] * 5 + ["b"] * 5, "t": [0, 1, 2, 5, 6, 10, 11, 12, 13, 14], "x": np.arange(10.0),
        "y": ["u"] * 5 + ["v"] * 5,
    })  # fmt: skip
    # distances of 1 and one of 3: whole steps
    reading = read(frame, target="y", time="t", choices=ID, task="classification")
    first = reading.table.rows.series[0, 0]
    assert np.isnan(first[[3, 4]]).all()
    assert first[[0, 1, 2, 5, 6]].tolist() == [0, 1, 2, 3, 4]


def test_uneven_moments_are_told() -> None:
    frame = table().with_columns(t=pl.col("t") ** 2 * 1.37)
    reading = read(frame, target="y", time="t", choices=ID)
    assert any("not evenly spaced" in note for note in reading.notes)


def test_errors_in_words() -> None:
    frame = table()
    with pytest.raises(DataError, match=r"several answers in 'y'.*--lags"):
        read(frame.with_columns(y=pl.col("mood")), target="y", time="t", choices=ID)
    with pytest.raises(DataError, match="Each row has a value of its own in 'id'"):
        read(frame.with_columns(id=pl.arange(frame.height)), target="y", time="t", choices=ID)
    with pytest.raises(DataError, match="No column of data holds numbers that vary"):
        read(frame.select("id", "t", "site", "y"), target="y", time="t", choices=ID)
    with pytest.raises(DataError, match="no column 'idd'"):
        read(frame, target="y", time="t", choices=choose(id_column="idd"))
    with pytest.raises(SettingError, match="--id and --lags together"):
        read(frame, target="y", time="t", choices=choose(id_column="id", lags="1"))


def test_rows_without_an_id_or_a_moment_are_left_out_and_counted() -> None:
    frame = table()
    frame = frame.with_columns(id=pl.when(pl.arange(frame.height) < 2).then(None).otherwise(pl.col("id")))
    reading = read(frame, target="y", time="t", choices=ID)
    assert {"rows": 2, "column": None, "why": "'id' or its time is missing."} in reading.dropped


def test_rows_between_two_steps_never_hide_each_other() -> None:
    """After a gap of a step and a half, two rows lie as near to one place of the grid."""
    t = [float(k) for k in range(60)] + [59 + 1.5 + k for k in range(4)]
    ids = [i for i in range(20) for _ in t]
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"id": ids, "t": t * 20, "v": rng.normal(size=len(ids)), "y": ["ab"[i % 2] for i in ids]}
    )  # fmt: skip
    series = read(frame, target="y", time="t", choices=ID).table.rows.series
    assert np.isfinite(series).sum() == len(ids)
