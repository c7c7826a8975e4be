from __future__ import annotations

import numpy as np
import pytest

from temperance.data.blocks.kernels import KERNELS, Kernels, bridged, differences, dilations, known_lengths, rounded


def waves(rows: int = 12, channels: int = 1, length: int = 40) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, channels, length)).astype(np.float32).cumsum(axis=2)


def slow(kernels: Kernels, series: np.ndarray) -> np.ndarray:
    """Return the features by the formula of the docstring, one place at a time."""
    values, lengths = rounded(series, kernels.spread)
    out = np.zeros((len(series), *kernels.bias.shape))
    for b, (row, length) in enumerate(zip(values, lengths, strict=True)):
        for g, step in enumerate(kernels.dilation):
            x = np.diff(row[:, :length], axis=1) if kernels.differenced[g] else row[:, :length]
            n = x.shape[1]
            for k, weights in enumerate(KERNELS):
                conv = []
                for t in range(n):
                    total = 0.0
                    for j, w in enumerate(weights):
                        place = t + (j - 4) * int(step)
                        if 0 <= place < n:
                            total += w * x[kernels.channels[g, k], place].sum()
                    conv.append(total)
                inner = conv[4 * step : n - 4 * step] if (k + g) % 2 and n > 8 * step else conv
                out[b, g, k] = [np.mean(np.array(inner) > bias) for bias in kernels.bias[g, k]]
    return out.reshape(len(series), -1)


def test_84_kernels_sum_to_zero() -> None:
    assert KERNELS.shape == (84, 9)
    assert not KERNELS.sum(axis=1).any()
    assert len(np.unique(KERNELS, axis=0)) == 84


@pytest.mark.parametrize("channels", [1, 3])
def test_features_follow_the_formula(channels: int) -> None:
    series = waves(3, channels, 21)
    series[1, :, 15:] = np.nan
    kernels = Kernels.fit(series, features=400, seed=1)
    np.testing.assert_allclose(kernels.transform(series), slow(kernels, series), atol=1e-6)


def test_a_row_does_not_depend_on_the_padding_or_its_neighbours() -> None:
    series = waves()
    kernels = Kernels.fit(series, features=300, seed=0)
    padded = np.pad(series, ((0, 0), (0, 0), (0, 17)), constant_values=np.nan)
    whole = kernels.transform(series)
    assert np.array_equal(kernels.transform(padded), whole)
    assert np.array_equal(kernels.transform(series[3:4]), whole[3:4])


def test_level_and_scale_of_all_series_do_not_matter() -> None:
    series = waves()
    moved = (series * 8 + 64).astype(np.float32)
    first, second = (Kernels.fit(one, features=300, seed=0).transform(one) for one in (series, moved))
    assert np.abs(first - second).mean() < 1e-3


def test_sums_are_exact_in_any_order() -> None:
    values, _ = rounded(waves(4, 9, 60) * 1e4, np.ones(9))
    exact = np.einsum("bcl->bl", values.astype(np.float64)) * 12
    assert np.array_equal(exact, (values.sum(axis=1) * np.float32(12)).astype(np.float64))


def test_short_constant_empty_and_one_row() -> None:
    kernels = Kernels.fit(waves(), features=300, seed=0)
    odd = np.full((4, 1, 5), np.nan, dtype=np.float32)
    odd[0, 0, 0] = 3.0
    odd[1, 0] = 7.0
    odd[2, 0, :2] = (0.0, 1e30)
    found = kernels.transform(odd)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found <= 1).all()
    assert not found[3].any()
    constant = Kernels.fit(np.ones((1, 1, 4), dtype=np.float32), features=100, seed=0)
    assert np.isfinite(constant.transform(np.ones((1, 1, 4), dtype=np.float32))).all()


def test_gaps_are_bridged() -> None:
    series = np.array([[[np.nan, 1.0, np.nan, 3.0, np.nan]], [[np.nan] * 5]])
    assert bridged(series).tolist() == [[[1.0, 1.0, 2.0, 3.0, 3.0]], [[0.0] * 5]]
    assert known_lengths(series.astype(np.float32)).tolist() == [4, 0]


def test_dilations_rise_to_an_eighth_of_the_length() -> None:
    assert dilations(3).tolist() == [1]
    assert dilations(150)[0] == 1
    assert dilations(150)[-1] == 18
    assert (np.diff(dilations(1000)) > 0).all()


def test_differences_end_where_the_series_does() -> None:
    steps, fewer = differences(np.array([[[1.0, 4.0, 9.0, 0.0]]], dtype=np.float32), np.array([3]))
    assert steps.tolist() == [[[3.0, 5.0, 0.0]]]
    assert fewer.tolist() == [2]


def test_round_trip() -> None:
    kernels = Kernels.fit(waves(), features=200, seed=3)
    again = Kernels.from_arrays(kernels.to_arrays())
    assert np.array_equal(again.transform(waves()), kernels.transform(waves()))
