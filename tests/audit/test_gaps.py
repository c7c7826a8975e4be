from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.gaps import EDIT_LIMITS, chance_below, dimension, edits, gaps, limit_of
from temperance.records.schema import Rows


def cloud(count, width, seed=0):
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def beside(points, share, noise, seed=1):
    """Return the points with near copies of a share of them."""
    g = np.random.default_rng(seed)
    chosen = points[: round(share * len(points))]
    return np.concatenate([points, chosen + noise * g.standard_normal(chosen.shape)]).astype(np.float32)


def inside(points):
    return gaps(points, points, own=np.arange(len(points)))


def test_ratios_by_hand():
    line = np.array([[0.0], [1.0], [3.0], [7.0]], dtype=np.float32)
    found = inside(line)  # distances of 0: 1, 3, 7; of 1: 1, 2, 6; of 3: 2, 3, 4; of 7: 4, 6, 7
    assert found.ratio == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert found.partner.tolist() == [1, 0, 1, 2]
    assert not found.equal.any()


def test_equal_rows_are_met_and_leave_no_gap():
    points = np.array([[0.0], [0.0], [5.0], [10.0], [16.0]], dtype=np.float32)
    found = inside(points)
    assert found.equal.tolist() == [True, True, False, False, False]
    assert found.partner[0] == 2
    assert found.ratio[0] == pytest.approx(0.5)


@pytest.mark.parametrize("width", [2, 4])
def test_the_law_of_a_density(width):
    ratio = inside(cloud(3000, width)).ratio
    assert dimension(ratio) == pytest.approx(width, abs=0.6)
    for t in (0.2, 0.5):
        assert (ratio < t).mean() == pytest.approx(chance_below(t, width), abs=0.03)


@pytest.mark.parametrize("width", [1, 2, 3, 8, 20])
def test_a_cloud_has_no_copies_however_dense_its_parts(width):
    for seed in range(5):
        points = cloud(600, width, seed)
        points[:200] *= 0.01  # a third of the rows a hundred times as dense
        assert limit_of(inside(points).ratio) == 0.0


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.3, 1.0])
def test_near_copies_are_seen_at_any_share(share):
    points = beside(cloud(700, 8), share, 0.01)
    ratio = inside(points).ratio
    limit = limit_of(ratio)
    copies = np.zeros(len(points), dtype=bool)
    copies[: round(share * 700)] = copies[700:] = True
    assert limit > 0
    assert (ratio[copies] < limit).mean() > 0.95
    assert (ratio[~copies] < limit).sum() == 0


def test_ten_copies_of_one_row_are_copies():
    points = cloud(400, 6)
    near = points[0] + 0.001 * cloud(10, 6, 2)
    assert (inside(np.concatenate([points, near])).ratio[400:] < 0.05).all()


def table(values):
    values = np.asarray(values, dtype=np.float64)
    return Rows(values, np.zeros((len(values), 0), dtype=np.int32))


def test_counts_of_differing_columns():
    rows = table([[1, 2, 3, 4], [1, 2, 3, 9], [5, 6, 7, 8], [5, 0, 0, 0]])
    found = edits(rows.take(np.array([0, 3])), rows, own=np.array([0, 3]))
    assert found.partner.tolist() == [1, 2]
    assert found.ratio == pytest.approx([1 / 4, 3 / 4])


def test_three_changed_values_are_seen_and_few_values_are_natural():
    g = np.random.default_rng(0)
    values = g.standard_normal((500, 20))
    copy = values[:50].copy()
    for i in range(50):
        copy[i, g.permutation(20)[:3]] = g.standard_normal(3)
    rows = table(np.concatenate([values, copy]))
    ratio = edits(rows, rows, own=np.arange(550)).ratio
    assert (ratio[500:] < limit_of(ratio, EDIT_LIMITS)).all()
    few = table(g.integers(3, size=(500, 8)))
    assert limit_of(edits(few, few, own=np.arange(500)).ratio, EDIT_LIMITS) == 0.0


def test_one_row_alone_has_no_neighbour():
    assert gaps(cloud(1, 3), cloud(1, 3), own=np.array([0])).ratio.tolist() == [1.0]
