import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from scipy.stats import entropy as scipy_entropy

from temperance.evaluation.ood import scores
from temperance.records.errors import DataError

G = np.random.default_rng(0)
Z, H = 5 * G.normal(size=(200, 4)), G.normal(size=(200, 6)) @ G.normal(size=(6, 6))
Y = G.integers(0, 3, 200)


def test_scores_of_logits_are_those_of_scipy():
    p = softmax(Z, axis=1)
    np.testing.assert_allclose(scores.msp(Z), -p.max(axis=1), rtol=1e-12)
    np.testing.assert_allclose(scores.energy(Z), -logsumexp(Z, axis=1), rtol=1e-12)
    np.testing.assert_allclose(scores.entropy(Z), scipy_entropy(p, axis=1), rtol=1e-9)
    np.testing.assert_allclose(scores.max_logit(Z), -Z.max(axis=1))
    assert np.isfinite(scores.entropy(1e4 * Z)).all()


def test_mahalanobis_is_the_distance_under_the_covariance_within_classes():
    found = scores.Mahalanobis.fit(H, Y)
    means = [H[k == Y].mean(axis=0) for k in range(3)]
    within = sum(np.cov(H[k == Y].T, bias=True) * (k == Y).sum() for k in range(3)) / 200
    by_hand = np.min([[(h - m) @ np.linalg.inv(within) @ (h - m) for m in means] for h in H[:20]], axis=1)
    np.testing.assert_allclose(found(H[:20]), by_hand, rtol=1e-8)
    flat = np.hstack([H, H[:, :1]])  # a singular covariance
    np.testing.assert_allclose(scores.Mahalanobis.fit(flat, Y)(flat), found(H), rtol=1e-6)


def test_neighbours_by_scikit_learn():
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import normalize

    new = G.normal(size=(30, 6))
    distance, _ = NearestNeighbors(n_neighbors=50).fit(normalize(H)).kneighbors(normalize(new))
    np.testing.assert_allclose(scores.Neighbours.fit(H)(new), distance[:, -1], rtol=1e-7)
    assert scores.Neighbours.fit(H[:3]).k == 3


def test_nothing_to_compare_with():
    with pytest.raises(DataError, match="at least two"):
        scores.Mahalanobis.fit(H[:1], Y[:1])
    with pytest.raises(DataError, match="at least one"):
        scores.Neighbours.fit(H[:0])
