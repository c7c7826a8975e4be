import numpy as np
import pytest

from temperance.monitoring.betting import CELLS, COARSE, FORGET, fixed_bets, learned_bets, normal_scores, tolerated


def test_every_fixed_bet_pays_exactly_one_on_uniform_p_values():
    table = fixed_bets()
    assert table.shape[0] == CELLS
    assert table.min() >= 0
    np.testing.assert_allclose(table.mean(axis=0), 1, rtol=1e-12)


def test_a_shift_bet_wins_on_its_own_shift():
    weight = np.exp(0.6 * normal_scores())
    weight /= weight.sum()
    growth = weight @ np.log(fixed_bets())
    assert growth.argmax() == 4  # SHIFTS[4] = 0.6


@pytest.mark.parametrize("tolerance", [0.1, 0.5])
def test_bets_stay_fair_for_every_tolerated_shift(tolerance):
    recent = np.random.default_rng(0).gamma(1, 50, size=(5, COARSE, len(FORGET)))
    assert (tolerated(tolerance) @ fixed_bets(tolerance)).max() <= 1 + 1e-9
    learned = learned_bets(recent, tolerance)
    assert np.einsum("gk,ckj->cgj", tolerated(tolerance, cells=COARSE), learned).max() <= 1 + 1e-9


def test_learning_bets_are_fair_and_follow_the_recent_rows():
    recent = np.zeros((1, COARSE, len(FORGET)))
    np.testing.assert_allclose(learned_bets(recent), 1)
    recent[0, 3] = 100
    bets = learned_bets(recent)
    np.testing.assert_allclose(bets.mean(axis=1), 1)
    assert bets[0, 3].min() > 5
