"""Attacks: formulas by hand, the order they should find, and what they refuse."""

import numpy as np
import pytest
from scipy.stats import norm

from temperance.evaluation.privacy.attacks import lira, loss_threshold, rmia
from temperance.records.errors import DataError


def test_the_loss_attack_is_minus_the_loss() -> None:
    np.testing.assert_array_equal(loss_threshold(np.array([0.5, 2.0])), [-0.5, -2.0])


def test_online_lira_is_the_ratio_of_two_normal_densities() -> None:
    references = np.array([[2.0, 5.0], [4.0, 7.0], [0.0, 1.0], [1.0, 3.0]])
    inside = np.array([[True, True], [True, True], [False, False], [False, False]])
    target = np.array([3.0, 2.0])
    v_in, v_out = (2 + 2) / 2, (0.5 + 2.0) / 2  # common variances, one degree of freedom a row
    shrunk = lambda common, squares: (4 * common + squares) / (4 + 1)  # noqa: E731
    expected = [
        norm.logpdf(3.0, 3.0, shrunk(v_in, 2.0) ** 0.5) - norm.logpdf(3.0, 0.5, shrunk(v_out, 0.5) ** 0.5),
        norm.logpdf(2.0, 6.0, shrunk(v_in, 2.0) ** 0.5) - norm.logpdf(2.0, 2.0, shrunk(v_out, 2.0) ** 0.5),
    ]
    np.testing.assert_allclose(lira(target, references, inside), expected, rtol=1e-12)


def test_offline_lira_is_the_distance_from_models_that_did_not_learn_the_row() -> None:
    target, references = np.array([3.0, 1.0]), np.array([[1.0, 2.0]])
    found = lira(target, references, np.array([[False, False]]))
    np.testing.assert_allclose(found, [2.0, -1.0])


def test_one_row_without_models_that_learned_it_makes_all_offline() -> None:
    references = np.array([[1.0, 1.0], [2.0, 2.0]])
    inside = np.array([[True, False], [False, False]])
    found = lira(np.array([2.0, 1.5]), references, inside)
    np.testing.assert_allclose(found[0] * found[1], 0.0, atol=1e-12)  # both lie at the mean of their OUT models


def test_rmia_online_and_offline_by_hand() -> None:
    target = np.array([0.9])
    both, one = np.array([[0.8], [0.4]]), np.array([[0.4]])
    assert rmia(target, both, np.array([[True], [False]]))[0] == pytest.approx(0.9 / 0.6)
    assert rmia(target, one, np.array([[False]]), offline=0.3)[0] == pytest.approx(0.9 / (0.5 * (1.3 * 0.4 + 0.7)))


def test_rmia_against_a_population_is_the_share_it_beats_by_gamma() -> None:
    target, one, out = np.array([0.6, 0.2]), np.array([[0.5, 0.5]]), np.zeros((1, 2), dtype=bool)
    ratio = rmia(target, one, out, offline=1.0)
    np.testing.assert_allclose(ratio, [1.2, 0.4])
    population = np.array([0.1, 0.2, 0.6, 2.0])
    np.testing.assert_allclose(rmia(target, one, out, offline=1.0, population=population, gamma=2.0), [0.75, 0.5])


def test_both_find_rows_that_the_loss_cannot_tell() -> None:
    """Rows differ far more in how hard they are than in what learning them changes."""
    g = np.random.default_rng(0)
    n, m = 2000, 8
    hard = g.normal(0, 5, n)
    member = g.random(n) < 0.5
    inside = g.random((m, n)) < 0.5
    inside[0], inside[1] = True, False
    phi = lambda learned: hard + 2.0 * learned + g.normal(0, 0.7, n)  # noqa: E731
    target, references = phi(member), np.stack([phi(one) for one in inside])
    auc = lambda score: np.mean(score[member][:, None] > score[~member][None, :])  # noqa: E731
    chance = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    assert auc(target) < 0.65
    assert auc(lira(target, references, inside)) > 0.95
    assert auc(rmia(chance(target), chance(references), inside)) > 0.85


@pytest.mark.parametrize(
    ("target", "references", "inside"),
    [
        (np.zeros(2), np.zeros((1, 3)), np.zeros((1, 3), bool)),
        (np.zeros(2), np.zeros((1, 2)), np.zeros((2, 2), bool)),
        (np.zeros(2), np.zeros((0, 2)), np.zeros((0, 2), bool)),
        (np.zeros(2), np.zeros((1, 2)), np.array([[True, False]])),
        (np.array([np.nan, 0.0]), np.zeros((1, 2)), np.zeros((1, 2), bool)),
    ],
)
def test_what_cannot_be_attacked_is_refused(target, references, inside) -> None:
    with pytest.raises(DataError):
        lira(target, references, inside)
    with pytest.raises(DataError):
        rmia(target, references, inside)
