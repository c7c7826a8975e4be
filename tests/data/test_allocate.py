from __future__ import annotations

import numpy as np
import pytest

from temperance.data.allocate import Units, carve, carve_groups, deal, quotas


def test_quotas_by_hand() -> None:
    rng = np.random.default_rng(0)
    assert quotas(np.array([50, 30, 20]), 10, rng).tolist() == [5, 3, 2]
    assert quotas(np.array([97, 2, 1]), 50, rng).tolist() == [49, 1, 0]
    assert quotas(np.array([1, 1, 1]), 2, rng).tolist() == [0, 0, 0]


def test_units_know_heads_sizes_and_members() -> None:
    units = Units(np.array([0, 1, 0, 2, 1, 0]))
    index = np.arange(6)
    heads = units.heads(index)
    assert heads.tolist() == [0, 1, 3]
    assert units.sizes(index, heads).tolist() == [3, 2, 1]
    assert units.expand(index, np.array([1])).tolist() == [1, 4]
    assert units.count(np.array([0, 2, 3])) == 2


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_carve_takes_the_exact_share_by_stratum(share: float) -> None:
    strata = np.repeat([0, 1], [800, 200])
    taken = carve(np.arange(1000), Units(np.arange(1000)), strata, share, np.random.default_rng(0))
    assert [(strata[taken] == s).sum() for s in (0, 1)] == [800 * share, 200 * share]


def test_a_large_unit_does_not_swell_a_role() -> None:
    of_row = np.concatenate([np.zeros(300, dtype=int), 1 + np.arange(700)])
    for seed in range(5):
        taken = carve(np.arange(1000), Units(of_row), np.zeros(1000, dtype=int), 0.1, np.random.default_rng(seed))
        assert len(taken) == 100


def test_groups_keep_whole_and_follow_the_strata() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 100, 5000)
    strata = (group % 10 == 0).astype(int)
    taken = carve_groups(np.arange(5000), Units(group), strata, 0.2, rng)
    assert len(taken) == pytest.approx(1000, abs=60)
    assert strata[taken].mean() == pytest.approx(strata.mean(), abs=0.03)


def test_deal_fills_every_fold() -> None:
    group = np.repeat(np.arange(6), 10)
    fold = deal(np.arange(60), Units(group), np.zeros(60, dtype=int), 5, np.random.default_rng(0))
    assert set(fold) == set(range(5))
    assert all(len(set(fold[group == g])) == 1 for g in range(6))
