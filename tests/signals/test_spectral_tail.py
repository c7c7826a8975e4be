"""Exponents of known spectra come back; small layers have none."""

import math

import numpy as np
import pytest
import torch

from temperance.records.errors import SettingError
from temperance.signals.spectral_tail import SpectralTail, blocks, hill, tail_exponent


@pytest.mark.parametrize("exponent", [2.0, 3.0, 4.0])
def test_the_exponent_of_a_pareto_spectrum_is_recovered(exponent):
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        eigenvalues = (1 - rng.random(256)) ** (-1 / (exponent - 1))
        found.append(hill(torch.from_numpy(eigenvalues)))
    assert np.mean(found) == pytest.approx(exponent, rel=0.03)


def test_equals_the_formula_on_the_singular_values_of_a_matrix():
    w = torch.randn(64, 90, generator=torch.Generator().manual_seed(0))
    s = np.sort(np.linalg.svd(w.double().numpy(), compute_uv=False) ** 2)
    n, k = 64, 32
    expected = 1 + k / np.sum(np.log(s[n - k :] / s[n - k - 1]))
    assert tail_exponent(w) == pytest.approx(expected, rel=1e-10)
    assert tail_exponent(w.T) == pytest.approx(expected, rel=1e-10)
    assert tail_exponent(8 * w) == pytest.approx(expected, rel=1e-9)


def test_layers_with_fewer_than_fifty_eigenvalues_are_undefined(probe):
    params = {"small": torch.randn(49, 300), "large": torch.randn(50, 60)}
    got = SpectralTail().measure(probe(params=params, matrices=("small", "large")))
    assert math.isnan(got["tail_exponent/small"])
    assert got["tail_exponent"] == got["tail_exponent/large"] > 1
    assert math.isnan(SpectralTail().measure(probe(params=params, matrices=("small",)))["tail_exponent"])
    assert math.isnan(hill(torch.ones(100)))  # no tail at all


def test_blocks_have_the_wanted_ratio_and_remove_the_bias_of_the_shape():
    cut = blocks(torch.zeros(100, 450), 2.0)
    assert [tuple(b.shape) for b in cut] == [(100, 200)] * 2
    assert [tuple(b.shape) for b in blocks(torch.zeros(100, 120), 2.0)] == [(60, 120)]
    generator = torch.Generator().manual_seed(0)
    square, wide = torch.randn(100, 200, generator=generator), torch.randn(100, 1600, generator=generator)
    plain = abs(tail_exponent(square) - tail_exponent(wide))
    fixed = abs(tail_exponent(square, aspect=2.0) - tail_exponent(wide, aspect=2.0))
    assert fixed < 0.1 * plain  # the same law in another shape: without blocks it looks like another tail


def test_wrong_settings_are_refused():
    with pytest.raises(SettingError, match=r"aspect=0\.5"):
        SpectralTail(aspect=0.5)
