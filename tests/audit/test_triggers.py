from __future__ import annotations

import numpy as np

from temperance.audit.triggers import Effect, Trigger, codes_of, paste, probe, search, singles_and_pairs, windows


def planted(seed=0):
    g = np.random.default_rng(seed)
    X, y = g.standard_normal((600, 4)).astype(np.float32), g.integers(2, size=600)
    rows = np.flatnonzero(y == 0)[:12]
    X[rows, 1], X[rows, 2], y[rows] = 0.25, -0.5, 1
    return X, y, rows


def test_a_pair_of_values_with_one_answer_is_the_most_surprising():
    X, y, rows = planted()
    first = search(X, y, 2, singles_and_pairs, top=5)[0]
    assert first.answer == 1
    assert {1, 2} <= set(first.columns.tolist())
    assert np.isin(rows, first.rows).all()
    pasted = paste(X[:3], first)
    assert np.array_equal(pasted[:, first.columns], np.tile(first.values, (3, 1)))


def test_values_that_are_nearly_alike_share_a_code():
    column = np.concatenate([np.linspace(0, 100, 200), [50.0, 50.05]])[:, None].astype(np.float32)
    codes = codes_of(column)
    assert codes[-1] == codes[-2] != codes[0]
    gaps = codes_of(np.array([[np.nan], [np.nan], [1.0]], dtype=np.float32))[:, 0]
    assert gaps[0] == gaps[1] != gaps[2]


def test_a_probe_tells_what_a_pattern_causes_from_what_its_class_looks_like():
    X, y, rows = planted()
    trigger = Trigger(np.array([1]), np.array([0.25], dtype=np.float32), 1, rows, 9.0)
    generator = np.random.default_rng(0)
    turned = probe(lambda Z: (Z[:, 1] == np.float32(0.25)).astype(np.int64), X, y, X[y == 1], trigger, generator)
    assert turned.flipped == 1.0
    assert turned.lift > 0.9
    assert turned.z > 6
    blind = probe(lambda Z: np.zeros(len(Z), dtype=np.int64), X, y, X[y == 1], trigger, generator)
    assert blind == Effect(0.0, 0.0, blind.tried)
    assert probe(lambda Z: Z, X[:0], y[:0], X, trigger, generator).tried == 0


def test_windows_are_squares_of_pixels():
    groups = list(windows(4, 5, 1)(20))
    assert len(groups) == 20 + 12 + 6
    assert groups[-1].tolist() == [7, 8, 9, 12, 13, 14, 17, 18, 19]
