from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.confident import confident_joint, doubt, prune_by_noise_rate


def test_joint_by_hand():
    """Thresholds: class 0 mean(.9, .8, .1) = .6, class 1 mean(.7, .9) = .8."""
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.1, 0.9]])
    labels = np.array([0, 0, 0, 1, 1])
    # row 2 (given 0) is confidently 1; row 3 reaches no threshold
    assert confident_joint(labels, p).tolist() == [[2.0, 1.0], [0.0, 2.0]]
    assert prune_by_noise_rate(labels, p).tolist() == [False, False, True, False, False]


def test_agreeing_model_flags_nothing():
    labels = np.arange(30) % 3
    assert not prune_by_noise_rate(labels, np.eye(3)[labels]).any()


def test_doubt_is_the_margin_against_the_label():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    assert doubt(np.array([0, 0]), p) == pytest.approx([-0.5, 0.6])


def test_agrees_with_cleanlab():
    cleanlab = pytest.importorskip("cleanlab")
    g = np.random.default_rng(0)
    labels = g.integers(4, size=800)
    p = g.dirichlet(np.ones(4), 800) + 2.0 * np.eye(4)[np.where(g.random(800) < 0.1, (labels + 1) % 4, labels)]
    p /= p.sum(axis=1, keepdims=True)
    theirs = cleanlab.filter.find_label_issues(labels, p, filter_by="prune_by_noise_rate", n_jobs=1)
    assert (theirs != prune_by_noise_rate(labels, p)).mean() <= 0.02
