"""Greedy weights never do worse than the best member, and use what complements it."""

import numpy as np
import pytest

from temperance.study.ensemble import greedy_weights


def squared(truth):
    return lambda p: float(((p - truth) ** 2).mean())


def test_complementary_members_share():
    truth = np.zeros(100)
    up, down = truth + 1.0, truth - 1.0
    weights = greedy_weights([up, down], squared(truth))
    assert weights == pytest.approx((0.5, 0.5))


def test_a_perfect_member_takes_all():
    truth = np.arange(10.0)
    assert greedy_weights([truth + 3, truth, truth - 1], squared(truth)) == (0.0, 1.0, 0.0)


def test_never_worse_than_the_best_member_and_few_members():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=200)
    members = [truth + rng.normal(size=200) for _ in range(8)]
    weights = greedy_weights(members, squared(truth), most=3)
    mixed = np.sum([w * m for w, m in zip(weights, members, strict=True)], axis=0)
    assert sum(weights) == pytest.approx(1.0)
    assert sum(w > 0 for w in weights) <= 3
    assert squared(truth)(mixed) <= min(squared(truth)(m) for m in members)
