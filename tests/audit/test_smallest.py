from __future__ import annotations

import numpy as np

from temperance.audit.smallest import Smallest, candidate, smallest


def test_one_place_turns_rows_into_the_class_that_listens_to_it():
    g = np.random.default_rng(0)
    first = np.zeros((12, 12))
    np.fill_diagonal(first, 1.0)
    second = 0.3 * g.standard_normal((12, 4))
    second[7] = [0, 0, 9, 0]
    found = smallest([first, second], [np.zeros(12), np.zeros(4)], 0.3 * g.random((32, 12)).astype(np.float32), seed=0)
    assert int(found.size.argmin()) == 2
    assert int(found.mask[2].argmax()) == 7
    assert found.pattern[2, 7] > 0.8
    assert found.ratio > 1.5
    assert found.index.argmax() == 2


def test_rows_that_show_the_pattern_are_its_candidates():
    g = np.random.default_rng(0)
    X, y = g.random((400, 12)).astype(np.float32) * 0.6, g.integers(4, size=400)
    rows = np.arange(12)
    X[rows, 7], y[rows] = 1.0, 2
    mask = np.zeros((4, 12), dtype=np.float32)
    mask[2, 7] = 0.99
    found = Smallest(mask, np.ones((4, 12), dtype=np.float32), np.array([3.0, 3.1, 1.0, 2.9]))
    shown = candidate(found, X, y, 2)
    assert shown is not None
    assert shown.columns.tolist() == [7]
    assert np.array_equal(shown.rows, rows)
    assert shown.values.tolist() == [1.0]
    assert candidate(found, 0.6 * g.random((400, 12)).astype(np.float32), g.integers(4, size=400), 2) is None
