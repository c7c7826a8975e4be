from __future__ import annotations

import numpy as np
import pytest

from temperance.models import bin_edges
from temperance.models.edges import pieces_for, standard_edges
from temperance.records.errors import SettingError


def test_edges_rise_and_span_the_data() -> None:
    numbers = np.random.default_rng(0).normal(size=(1000, 3))
    for column, edges in zip(numbers.T, bin_edges(numbers), strict=True):
        assert edges[0] == pytest.approx(column.min())
        assert edges[-1] == pytest.approx(column.max())
        assert (np.diff(edges) > 0).all()
        assert 17 <= len(edges) <= 34


def test_a_long_tail_keeps_pieces_of_its_own() -> None:
    column = np.zeros(1000)
    column[:50] = np.linspace(1, 5, 50)
    (edges,) = bin_edges(column[:, None], pieces=16)
    assert sum(e > 0 for e in edges) >= 8


def test_constant_and_binary_columns() -> None:
    numbers = np.stack([np.full(20, 2.0), np.arange(20) % 2], axis=1)
    constant, binary = bin_edges(numbers, pieces=4)
    assert constant == (2.0, 3.0)
    assert binary == (0.0, 1.0)


def test_large_tables_are_sampled_by_seed() -> None:
    numbers = np.random.default_rng(0).normal(size=(100_500, 1))
    assert bin_edges(numbers, pieces=4, seed=1) == bin_edges(numbers, pieces=4, seed=1)
    assert bin_edges(numbers, pieces=4, seed=1) != bin_edges(numbers, pieces=4, seed=2)


def test_wide_tables_get_fewer_pieces() -> None:
    assert [pieces_for(n) for n in (0, 1, 64, 128, 1000)] == [32, 32, 32, 16, 4]


def test_standard_edges_and_refusals() -> None:
    assert standard_edges(2, pieces=2, reach=1.0) == ((-1.0, 0.0, 1.0),) * 2
    with pytest.raises(SettingError, match="finite"):
        bin_edges(np.array([[np.nan]]))
    with pytest.raises(SettingError, match="pieces=1"):
        bin_edges(np.zeros((3, 1)), pieces=1)
