"""The noise scale of synthetic gradients with known mean and covariance."""

import math

import pytest
import torch

from temperance.core.leaves import Leaves
from temperance.signals.gradient_noise import noise_scale


def draws(*, batches, size, mean, sd, seed, dim=4000):
    generator = torch.Generator().manual_seed(seed)
    return [
        Leaves(["w"], [mean + sd * torch.randn(dim, generator=generator) / math.sqrt(size)], owned=True)
        for _ in range(batches)
    ]


def test_synthetic_gaussian_gradients_give_the_true_scale():
    values = [noise_scale(draws(batches=8, size=32, mean=0.2, sd=1.0, seed=s), [32] * 8) for s in range(10)]
    truth = 1.0 / 0.04  # tr Σ / |G|² = dim·sd² / (dim·mean²)
    assert sum(values) / len(values) == pytest.approx(truth, rel=0.15)


def test_equal_gradients_have_no_noise():
    grads = [Leaves(["w"], [torch.tensor([3.0, 4.0])], owned=True) for _ in range(3)]
    assert noise_scale(grads, [8, 8, 8]) == pytest.approx(0.0, abs=1e-6)


def test_pure_noise_is_undefined():
    grads = [Leaves(["w"], [torch.tensor([1.0])], owned=True), Leaves(["w"], [torch.tensor([-1.0])], owned=True)]
    assert math.isnan(noise_scale(grads, [4, 4]))


def test_arguments_stay_untouched():
    grads = draws(batches=3, size=4, mean=1.0, sd=1.0, seed=0, dim=5)
    before = [g["w"].clone() for g in grads]
    noise_scale(grads, [4, 4, 4])
    assert all(torch.equal(a, g["w"]) for a, g in zip(before, grads, strict=True))
