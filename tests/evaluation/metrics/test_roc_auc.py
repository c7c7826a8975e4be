import numpy as np
import pytest
from sklearn import metrics as sk

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.roc_auc import RocAuc, components, ranks


def outcome(classes, n=400, seed=0):
    generator = np.random.default_rng(seed)
    z = 2 * generator.normal(size=(n, classes)).round(1)
    y = (z / 2 + generator.gumbel(size=z.shape)).argmax(axis=1)
    p = np.exp(z)
    return Outcome(p / p.sum(axis=1, keepdims=True), y, "binary" if classes == 2 else "multiclass")


@pytest.mark.parametrize("classes", [2, 5])
def test_matches_scikit_learn(classes):
    o = outcome(classes)
    theirs = sk.roc_auc_score(o.target, o.prediction[:, 1] if classes == 2 else o.prediction, multi_class="ovr")
    assert RocAuc().measure(o).value == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("classes", [2, 4])
def test_spread_of_contributions_is_that_of_the_bootstrap(classes):
    o = outcome(classes)
    generator = np.random.default_rng(1)
    draws = [RocAuc().contributions(o.take(generator.integers(0, o.n, o.n))).mean() for _ in range(400)]
    error = RocAuc().contributions(o).std() / np.sqrt(o.n)
    assert error == pytest.approx(np.std(draws), rel=0.15)


def test_toy_by_hand():
    """Known [.1 .2 .3 .4], unknown [.25 .5 .6 .7] give 0.875."""
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.25, 0.5, 0.6, 0.7])
    positive = np.arange(8) >= 4
    assert components(score, positive).mean() == pytest.approx(0.875)


def test_delong_variance_by_its_definition():
    o = outcome(2, n=60)
    score, positive = o.prediction[:, 1], o.target == 1
    wins = (score[positive][:, None] > score[~positive]) + 0.5 * (score[positive][:, None] == score[~positive])
    m, n = wins.shape
    delong = wins.mean(axis=1).var(ddof=1) / m + wins.mean(axis=0).var(ddof=1) / n
    ours = components(score, positive).var(ddof=1) / 60
    assert ours == pytest.approx(delong, rel=0.05)


def test_all_scores_equal_is_guessing():
    o = Outcome(np.full((10, 2), 0.5), np.arange(10) % 2, "binary")
    assert RocAuc().measure(o).value == 0.5
    assert ranks(np.array([3.0, 1.0, 3.0])).tolist() == [2.5, 1.0, 2.5]


def test_needs_two_classes():
    assert not RocAuc().applies(Outcome(np.full((3, 2), 0.5), np.zeros(3, dtype=int), "binary"))
    partly = Outcome(np.full((4, 3), 1 / 3), np.array([0, 0, 1, 1]), "multiclass")
    assert RocAuc().measure(partly).flags
