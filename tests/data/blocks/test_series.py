from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from temperance.data.blocks import pack, unpack
from temperance.data.blocks.kernels import Kernels
from temperance.data.blocks.series import SeriesBlock, statistics
from temperance.records.errors import SettingError
from temperance.records.schema import Column, Rows, Schema, Target


def schema(channels: int = 1) -> Schema:
    columns = tuple(Column(f"c{j}", "series") for j in range(channels))
    return Schema(columns, Target("y", "binary", ("a", "b")))


def rows(series: np.ndarray) -> Rows:
    none = np.empty((len(series), 0))
    return Rows(none, none.astype(np.int32), None, None, series.astype(np.float32))


def walks(count: int = 20, channels: int = 1, length: int = 30, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, channels, length)).cumsum(axis=2).astype(np.float32)


def test_ridge_on_the_directions_is_ridge_on_all_features() -> None:
    series = walks(24)
    series -= series.mean(axis=2, keepdims=True)
    y = np.random.default_rng(1).normal(size=24)
    (block,) = SeriesBlock.fit(rows(series), schema())
    fresh = walks(10, seed=5)
    fresh -= fresh.mean(axis=2, keepdims=True)
    features = block.kernels.transform(series)
    spread = features.std(axis=0)
    kept = spread > 1e-9
    scaled, new = (((f - features.mean(axis=0)) / np.where(kept, spread, 1))[:, kept] for f in (
        features, block.kernels.transform(fresh)
    ))  # fmt: skip
    factor = np.sqrt((scaled**2).sum(axis=1).mean())
    plain = Ridge(alpha=0.01).fit(scaled / factor, y).predict(new / factor)
    shapes = block.wide(rows(series))[:, -block.directions.shape[1] :]
    found = Ridge(alpha=0.01).fit(shapes, y).predict(block.wide(rows(fresh))[:, -block.directions.shape[1] :])
    np.testing.assert_allclose(found, plain, atol=2e-3)


def test_level_is_seen_though_kernels_do_not_see_it() -> None:
    series = walks(30)
    series -= series.mean(axis=2, keepdims=True)
    y = np.arange(30) % 2
    series += y[:, None, None] * 50.0
    (block,) = SeriesBlock.fit(rows(series), schema())
    wide, numbers = block.wide(rows(series)), block.transform(rows(series))
    assert abs(np.corrcoef(wide[:, 0], y)[0, 1]) > 0.99
    assert abs(np.corrcoef(numbers[:, block.names.index("c0: mean")], y)[0, 1]) > 0.99
    assert wide.shape[1] == block.wide_width


def test_numbers_are_finite_named_and_independent_of_neighbours() -> None:
    series = walks(12, 2)
    series[3, 0, 10:] = np.nan
    series[4] = np.nan
    series[5, 1] = np.nan
    (block,) = SeriesBlock.fit(rows(series), schema(2))
    found = block.transform(rows(series))
    assert found.shape == (12, len(block.names))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 10
    np.testing.assert_allclose(block.transform(rows(series[3:4])), found[3:4], atol=1e-5)
    assert not found[4, -block.directions.shape[1] :].any()


@pytest.mark.parametrize("series", [np.ones((6, 1, 12)), np.full((6, 1, 12), np.nan), np.ones((1, 1, 1))])
def test_series_without_anything_to_learn(series: np.ndarray) -> None:
    (block,) = SeriesBlock.fit(rows(series), schema())
    assert np.isfinite(block.transform(rows(walks(3)))).all()
    assert np.isfinite(block.wide(rows(walks(3)))).all()


def test_noise_of_a_mean_that_is_always_zero_is_no_input() -> None:
    series = walks()
    series = (series - series.mean(axis=2, keepdims=True)) / series.std(axis=2, keepdims=True)
    (block,) = SeriesBlock.fit(rows(series), schema())
    assert "c0: mean" not in block.names
    assert "c0: spread" not in block.names
    assert "c0: slope" in block.names


def test_round_trip_and_other_channels() -> None:
    (block,) = SeriesBlock.fit(rows(walks(10, 2)), schema(2))
    (again,) = unpack(*pack((block,)))
    assert again == block
    assert np.array_equal(again.transform(rows(walks(4, 2))), block.transform(rows(walks(4, 2))))
    with pytest.raises(SettingError, match=r"series of shape .*channels c0, c1"):
        block.transform(rows(walks(4, 1)))


def test_fewer_features_for_more_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    fit = Kernels.fit

    def noted(series: np.ndarray, *, features: int, seed: int) -> Kernels:
        asked.append(features)
        return fit(series, features=100, seed=seed)

    monkeypatch.setattr(Kernels, "fit", noted)
    for work in (2e10, 1e3):
        monkeypatch.setattr("temperance.data.blocks.series.WORK", work)
        SeriesBlock.fit(rows(walks()), schema())
    assert asked == [10_000, 1000]


def test_statistics_by_hand() -> None:
    (found,) = statistics(np.array([[[1.0, np.nan, 3.0, 8.0, np.nan]]], dtype=np.float32))
    mean, spread, low, high, first, last, slope, known, length = found
    assert (mean, low, high, first, last, known, length) == (4.0, 1.0, 8.0, 1.0, 8.0, 0.75, 4.0)
    assert spread == pytest.approx(np.std([1, 3, 8]))
    assert slope == pytest.approx(np.polyfit([0, 2, 3], [1, 3, 8], 1)[0])
