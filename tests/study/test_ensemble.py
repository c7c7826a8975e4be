"""A blend never leaves the best candidate without reason, and its figures come from weights found without the row."""

import numpy as np
import pytest

from temperance.study.ensemble import blend, mixed


def candidates(seed=0, rows=600, noise=(0.3, 0.3, 2.0)):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=rows)
    return truth, [truth + s * rng.normal(size=rows) for s in noise]


def test_independent_errors_share_and_a_bad_candidate_gets_nothing():
    truth, answers = candidates()
    found = blend(answers, truth, np.arange(600) % 5)
    assert found.shares[:2] == pytest.approx([0.5, 0.5], abs=0.1)
    assert found.shares[2] == 0.0
    assert found.shares.sum() == pytest.approx(1.0)
    both = ((mixed(answers, found.shares) - truth) ** 2).mean()
    assert both < 0.7 * ((answers[0] - truth) ** 2).mean()
    assert ((found.selection - truth) ** 2).mean() == pytest.approx(both, rel=0.05)


def test_a_perfect_candidate_takes_nearly_all():
    truth, answers = candidates()
    found = blend([truth, answers[0]], truth, np.arange(600) % 5)
    assert found.shares[0] > 0.9


def test_a_rows_own_answer_does_not_move_its_mixture():
    truth, answers = candidates(rows=100)
    folds = np.arange(100) % 5
    before = blend(answers, truth, folds).selection
    changed = truth.copy()
    changed[folds == 0] += 5.0
    after = blend(answers, changed, folds).selection
    assert np.array_equal(before[folds == 0], after[folds == 0])
    assert not np.array_equal(before[folds == 1], after[folds == 1])


def test_probabilities_stay_probabilities():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, 300)
    answers = [rng.dirichlet(np.ones(3), 300) for _ in range(3)]
    found = blend(answers, labels, np.arange(300) % 3)
    assert found.selection.sum(axis=1) == pytest.approx(np.ones(300))


def test_rows_without_weight_do_not_choose():
    truth, answers = candidates(rows=200, noise=(0.3, 0.3))
    wrong = np.arange(200) < 120
    spoiled = np.where(wrong, -truth, truth)
    answers = [answers[0], np.where(wrong, -answers[1], answers[1])]
    weight = np.where(wrong, 1e-9, 1.0)
    by_all = blend(answers, spoiled, np.arange(200) % 5).shares
    by_clean = blend(answers, spoiled, np.arange(200) % 5, weight).shares
    assert by_all[1] > 0.9
    assert by_clean[0] == pytest.approx(0.5, abs=0.2)
