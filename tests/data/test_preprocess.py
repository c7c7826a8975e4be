from __future__ import annotations

import json

import numpy as np
import pytest

from temperance.data.preprocess import Preprocess, column_names
from temperance.records.errors import SettingError
from temperance.records.schema import MISSING, UNSEEN, Column, Rows, Schema, Target
from temperance.records.table import Table


def table(rows: int = 200, *, regression: bool = True) -> Table:
    rng = np.random.default_rng(0)
    numeric = np.column_stack(
        [rng.normal(1e9, 3, rows), np.where(rng.random(rows) < 0.9, 5.0, rng.normal(size=rows)), np.full(rows, 7.0)]
    )
    numeric[::10, 0] = np.nan
    codes = np.column_stack([rng.integers(0, 3, rows), np.where(np.arange(rows) % 5 == 0, MISSING, 1)]).astype(np.int32)
    codes[0, 0] = 3  # seen once
    columns = (
        *(Column(name, "numeric") for name in "abc"),
        Column("d", "categorical", vocabulary=("p", "q", "r", "rare")),
        Column("e", "categorical", vocabulary=("u", "v")),
    )
    target = Target("y", "regression") if regression else Target("y", "binary", ("0", "1"))
    y = rng.normal(10, 2, rows) if regression else rng.integers(0, 2, rows)
    return Table(Schema(columns, target), Rows(numeric, codes), y)


def test_the_published_formula_in_float64() -> None:
    data = table()
    fitted = Preprocess.fit(data, np.arange(100))
    raw = data.rows.numeric
    for j in range(3):
        known = raw[:100, j][np.isfinite(raw[:100, j])]
        low, q25, median, q75, high = np.percentile(known, [0, 25, 50, 75, 100])
        scale = 1 / (q75 - q25) if q75 > q25 else (2 / (high - low) if high > low else 0.0)
        x = np.where(np.isnan(raw[:, j]), median, raw[:, j])
        z = scale * (x - median)
        expected = z / np.sqrt(1 + (z / 3) ** 2)
        np.testing.assert_allclose(fitted.transform(data.rows).numeric[:, j], expected, rtol=2e-6, atol=2e-6)


def test_by_hand() -> None:
    schema = Schema((Column("a", "numeric"),), Target("y", "regression"))
    values = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    data = Table(schema, Rows(values, np.empty((5, 0), dtype=np.int32)), np.arange(5.0))
    fitted = Preprocess.fit(data)
    assert (fitted.center[0], fitted.scale[0]) == (2.0, 0.5)  # quartiles 1 and 3
    out = fitted.transform(Rows(np.array([[8.0], [2.0], [np.nan]]), np.empty((3, 0), dtype=np.int32)))
    np.testing.assert_allclose(out.numeric[:, 0], [3 / np.sqrt(2), 0, 0], rtol=1e-6)


def test_missing_flags_only_where_training_knew_missing() -> None:
    data = table()
    fitted = Preprocess.fit(data)
    assert fitted.flagged.tolist() == [0]
    assert fitted.width == 4
    assert column_names(data.schema, fitted) == ("a", "b", "c", "a is missing")
    rows = Rows(np.full((2, 3), np.nan), np.zeros((2, 2), dtype=np.int32))
    np.testing.assert_array_equal(fitted.transform(rows).numeric, [[0, 0, 0, 1]] * 2)


def test_extreme_and_infinite_values_stay_finite() -> None:
    fitted = Preprocess.fit(table())
    for value in (np.inf, -np.inf, 1e308, -1e308, 1e-320):
        out = fitted.transform(Rows(np.full((1, 3), value), np.zeros((1, 2), dtype=np.int32))).numeric
        assert np.isfinite(out).all()
        assert (np.abs(out) <= 3.0001).all()


def test_categories_rare_unseen_and_missing() -> None:
    fitted = Preprocess.fit(table())
    assert fitted.cardinalities == (4, 3)  # 0, p, q, r · 0, v, missing
    assert fitted.codes[0].tolist() == [1, 2, 3, 0, 0, 0]
    assert fitted.codes[1].tolist() == [0, 1, 0, 2]
    codes = np.array([[3, MISSING], [UNSEEN, UNSEEN], [MISSING, 0], [2, 1]], dtype=np.int32)
    out = fitted.transform(Rows(np.zeros((4, 3)), codes)).categorical
    assert out.dtype == np.int64
    assert out.tolist() == [[0, 2], [0, 0], [0, 0], [3, 1]]


def test_only_the_given_rows_are_looked_at() -> None:
    data = table()
    index = np.arange(50)
    assert Preprocess.fit(data, index) == Preprocess.fit(data.take(index))
    assert Preprocess.fit(data, index) != Preprocess.fit(data)


def test_rows_are_independent() -> None:
    data = table()
    fitted = Preprocess.fit(data)
    whole = fitted.transform(data.rows)
    for piece in (slice(0, 1), slice(3, 50)):
        part = fitted.transform(data.rows.take(piece))
        np.testing.assert_array_equal(part.numeric, whole.numeric[piece])
        np.testing.assert_array_equal(part.categorical, whole.categorical[piece])


def test_numeric_targets_are_standardised_and_back() -> None:
    data = table()
    fitted = Preprocess.fit(data)
    scaled = fitted.scale_target(data.target)
    assert scaled.mean() == pytest.approx(0, abs=1e-5)
    assert scaled.std() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(fitted.unscale_target(scaled), data.target, rtol=1e-6)
    assert Preprocess.fit(table(regression=False)).target_sd == 1.0


def test_images_are_standardised_per_channel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 6, 5, 3), dtype=np.uint8)
    pixels[..., 2] = 9
    schema = Schema((), Target("y", "binary", ("0", "1")), kind="images", image_shape=(6, 5, 3))
    none = np.empty((50, 0))
    data = Table(schema, Rows(none, none.astype(np.int32), pixels), np.arange(50) % 2)
    fitted = Preprocess.fit(data, np.arange(30))
    out = fitted.transform(data.rows).images
    assert out is not None
    assert out.shape == (50, 3, 6, 5)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[:30, :2].mean(axis=(0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(out[:30, :2].std(axis=(0, 2, 3)), 1, atol=1e-4)
    np.testing.assert_allclose(out[:, 2], 0, atol=1e-4)
    assert Preprocess.from_arrays(*fitted.to_arrays()) == fitted


def test_arrays_and_json_bring_it_back() -> None:
    fitted = Preprocess.fit(table())
    arrays, settings = fitted.to_arrays()
    again = Preprocess.from_arrays(arrays, json.loads(json.dumps(settings, allow_nan=False)))
    assert again == fitted
    assert (fitted == 3) is False
    assert all(array.dtype != object for array in arrays.values())


@pytest.mark.parametrize("options", [{"clip": 0.0}, {"min_count": 0}, {"index": np.empty(0, dtype=int)}])
def test_settings_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        Preprocess.fit(table(), **options)  # type: ignore[arg-type]


def test_numbers_as_they_are_and_whole_ones() -> None:
    columns = (Column("a", "numeric", integer=True), Column("b", "numeric", integer=True))
    raw = np.array([[0.0, 3.0], [2.0, np.nan], [7.0, 1.0], [5.0, 2.0]])
    data = Table(
        Schema(columns, Target("y", "binary", ("0", "1"))), Rows(raw, np.empty((4, 0), np.int32)), np.arange(4) % 2
    )
    fitted = Preprocess.fit(data)
    plain = fitted.as_they_are()
    assert plain.transform(data.rows).numeric.tolist() == [[0, 3, 0], [2, 0, 1], [7, 1, 0], [5, 2, 0]]
    assert (plain.target_sd, plain.width) == (fitted.target_sd, 3)
    whole = fitted.as_they_are(5)
    wild = Rows(np.array([[np.inf, 2.4], [-1.0, 1e300], [5.0, 6.0]]), np.empty((3, 0), np.int32))
    found = whole.transform(wild).numeric
    assert found.dtype == np.int64
    assert found.tolist() == [[0, 2], [0, 0], [5, 0]]
    assert Preprocess.from_arrays(*whole.to_arrays()) == whole
