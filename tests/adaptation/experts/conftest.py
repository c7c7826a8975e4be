from types import SimpleNamespace

import numpy as np
import pytest

from temperance.adaptation.traffic import Setting, Traffic

SHARES = np.array([0.5, 0.3, 0.2])


def probabilities(scores):
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


@pytest.fixture
def classes():
    """Two classes, two inputs, three members of which the last knows best."""
    rng = np.random.default_rng(0)

    def draw(n, *, turn=1.0):
        x = rng.normal(size=(n, 2))
        y = (rng.random(n) < 1 / (1 + np.exp(-3 * turn * x[:, 0]))).astype(np.int64)
        score = np.stack([0.5 * x[:, 1], x[:, 0] - x[:, 1], 3 * x[:, 0]], axis=1)
        members = probabilities(np.stack([-score / 2, score / 2], axis=2))
        return Traffic(np.einsum("bkc,k->bc", members, SHARES), members, x), y

    return SimpleNamespace(draw=draw, setting=Setting(2, 2, SHARES), shares=SHARES)


@pytest.fixture
def values():
    """Numbers: the model misses a level of 3 and half of what the first input does."""
    rng = np.random.default_rng(1)

    def draw(n):
        x = rng.normal(size=(n, 2))
        y = 3 + 2 * x[:, 0] + 0.1 * rng.normal(size=n)
        members = np.stack([x[:, 0], x[:, 0] + 3, x[:, 1]], axis=1)
        return Traffic(members @ SHARES, members, x), y

    return SimpleNamespace(draw=draw, setting=Setting(0, 2, SHARES, 0.0, 2.0, 1.0), shares=SHARES)
