import numpy as np
import pytest
from scipy import stats

from temperance.adaptation.evidence import PairedBets, chi_square_tail, half_brier, restart
from temperance.records.errors import DataError


def test_bets_prove_gain_and_harm_and_little_else():
    rng = np.random.default_rng(0)
    gain, none = PairedBets(), 0
    gain.observe(rng.choice([-1, 0, 1], p=[0.05, 0.8, 0.15], size=500))
    assert gain.gain > 100
    assert gain.harm < 1
    for seed in range(100):
        bets = PairedBets()
        differences = np.random.default_rng(seed).choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=2000)
        ever = False
        for part in np.split(differences, 20):
            bets.observe(part)
            ever = ever or bets.harm >= 20
        none += ever
    assert none <= 10  # at most 5 % in expectation


def test_a_five_point_harm_is_proved_with_a_few_hundred_labels():
    needed = []
    for seed in range(20):
        rng, bets = np.random.default_rng(seed), PairedBets()
        while bets.harm < 20:
            bets.observe(rng.choice([-1, 0, 1], p=[0.075, 0.9, 0.025], size=5))
        needed.append(bets.n)
    assert np.median(needed) <= 250


def test_bets_by_hand_and_round_trip():
    a, b = PairedBets(), PairedBets()
    a.observe(np.array([0.5]))
    assert a.gain == pytest.approx(np.mean([1.05, 1.125, 1.25, 1.4]))
    b.load_state_dict(a.state_dict())
    assert (b.gain, b.harm, b.n) == (a.gain, a.harm, 1)
    with pytest.raises(DataError, match="outside"):
        a.observe(np.array([2.0]))


def test_half_brier_by_hand():
    p = np.array([[0.8, 0.2], [0.0, 1.0]])
    np.testing.assert_allclose(half_brier(p, np.array([0, 0])), [0.04, 1.0])


def test_restart_by_hand_and_capped():
    assert restart(0.0, np.log([2.0, 3.0]), most=1e9) == pytest.approx(9.0)
    assert restart(0.0, np.array([1e6]), most=50.0) == 50.0


@pytest.mark.parametrize(("x", "freedom"), [(3.0, 2), (10.0, 4), (30.0, 14), (1.0, 8)])
def test_chi_square_tail_agrees_with_scipy(x, freedom):
    assert chi_square_tail(x, freedom) == pytest.approx(stats.chi2.sf(x, freedom), abs=5e-3)
    assert chi_square_tail(0.0, freedom) == 1.0
