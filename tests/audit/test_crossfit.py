from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from temperance.audit.crossfit import assign_folds, auc, contiguous_folds, forest, out_of_fold, r2, wilson


def test_folds_spread_classes_evenly():
    y = np.repeat([0, 1], [90, 10])
    folds = assign_folds(y, 5, np.random.default_rng(0))
    assert [int((folds[y == 1] == f).sum()) for f in range(5)] == [2] * 5


def test_contiguous_folds_are_blocks():
    assert contiguous_folds(6, 3).tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("classes", [2, 4])
def test_auc_agrees_with_scikit_learn(classes):
    g = np.random.default_rng(0)
    y = g.integers(classes, size=300)
    p = g.random((300, classes)) + np.eye(classes)[y]
    p /= p.sum(axis=1, keepdims=True)
    expected = roc_auc_score(y, p[:, 1]) if classes == 2 else roc_auc_score(y, p, multi_class="ovr")
    assert auc(y, p) == pytest.approx(expected, abs=1e-12)


def test_auc_of_one_class_is_chance():
    assert auc(np.zeros(10, dtype=np.int64), np.ones((10, 2))) == 0.5


def test_r2_agrees_with_scikit_learn():
    g = np.random.default_rng(0)
    y = g.random(50)
    assert r2(y, y + 0.1) == pytest.approx(r2_score(y, y + 0.1))
    assert r2(np.ones(5), np.ones(5)) == 0.0


def test_out_of_fold_never_sees_its_row():
    y = np.random.default_rng(0).integers(2, size=200)
    X = np.arange(200.0).reshape(-1, 1)  # a row's own number is useless once it is left out
    p = out_of_fold(lambda: forest(classify=True, seed=0, trees=10), X, y, np.arange(200) % 5, classes=2)
    assert auc(y, p) < 0.65
    assert np.allclose(p.sum(axis=1), 1.0)


def test_wilson_by_hand():
    low, high = wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert wilson(0, 0) == (0.0, 1.0)
