from dataclasses import replace

import numpy as np

from temperance.evaluation.aspects.splitting import halves


def test_halves_by_chance_by_group_and_by_time(binary, make) -> None:
    table, model = binary
    first, second, how = halves(make.case(binary, seed=1), salt=1)
    assert sorted([*first, *second]) == list(range(1000))
    assert len(first) == 500
    assert "random" in how
    assert np.array_equal(first, halves(make.case(binary, seed=1), salt=1)[0])
    groups = np.arange(1000) // 50
    first, second, how = halves(make.case((replace(table, group=groups), model)), salt=1)
    assert not set(groups[first]) & set(groups[second])
    assert "groups" in how
    when = np.random.default_rng(0).permutation(1000).astype(np.float64)
    first, second, how = halves(make.case((replace(table, time=when), model)), salt=1)
    assert when[first].max() < when[second].min()
    assert "earlier" in how
