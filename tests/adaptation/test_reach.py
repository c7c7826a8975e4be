"""A change may cost its credit, and what it has won."""

import numpy as np
import pytest

from temperance.adaptation.reach import STEPS, Reach


def served(reach, rows, *, source, mixed, lag, truth, batch=20, first=0):
    """Serve rows whose labels come ``lag`` rows later; return what each was worth in right answers."""
    told, worth = 0, []
    for at in range(first, first + rows, batch):
        risks = reach.observe(source[at : at + batch], mixed[at : at + batch])
        step = reach.grant(at, risks)[:, None]
        sent = source[at : at + batch] + step * (mixed[at : at + batch] - source[at : at + batch])
        right = [
            (one.argmax(axis=1) == truth[at : at + batch]).astype(float) for one in (sent, source[at : at + batch])
        ]
        worth += (right[0] - right[1]).tolist()
        upto = at + batch - lag
        if upto > told:
            reach.tell(np.arange(told, upto), np.array(worth[told - first : upto - first]), at + batch)
            told = upto
    return np.array(worth)


def two(p):
    return np.stack([1 - p, p], axis=1)


def test_what_is_out_never_risks_more_than_the_bank() -> None:
    reach = Reach(0.0, credit=5.0)
    reach.begin()
    for at in range(0, 2000, 40):
        reach.grant(at, reach.observe(two(np.full(40, 0.2)), two(np.full(40, 0.8))))
        assert reach.outstanding <= reach.bank + 1e-9
    assert reach.outstanding > 4


def test_a_change_that_is_wrong_from_the_first_row_costs_about_its_credit() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.1, 0.4, 4000)
    truth = (rng.random(4000) < p).astype(int)  # the source is right
    reach = Reach(0.0, credit=5.0)
    reach.begin()
    worth = served(reach, 4000, source=two(p), mixed=two(1 - p), lag=500, truth=truth)
    assert -10 < worth.sum() < 0
    assert reach.spent


def test_a_change_that_helps_grows_until_it_is_served_whole() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.2, 0.4, 6000)
    truth = (rng.random(6000) < 1 - p).astype(int)
    reach = Reach(0.0, credit=5.0)
    reach.begin()
    worth = served(reach, 6000, source=two(p), mixed=two(1 - p), lag=200, truth=truth)
    assert worth[:200].sum() < worth[-200:].sum()
    assert (worth[-500:] != 0).all()


def test_what_was_won_more_than_2000_rows_ago_cannot_be_risked() -> None:
    reach = Reach(0.0, credit=5.0)
    reach.begin()
    risks = reach.observe(two(np.full(10, 0.2)), two(np.full(10, 0.8)))
    reach.tell(np.arange(10), np.ones(10), 10)
    assert reach.bank == 15
    reach.tell(np.arange(1500, 1510), np.full(10, -0.5), 2005)
    assert reach.bank == 10
    reach.grant(2010, risks)
    assert reach.bank == 0
    reach.grant(3600, risks)
    assert reach.bank == 5  # what was lost is over too, but no more than has been won in all comes back


def test_losses_of_long_ago_are_not_forgotten() -> None:
    reach = Reach(0.0, credit=5.0)
    reach.begin()
    reach.tell(np.arange(10), np.full(10, -0.4), 10)
    reach.grant(5000, reach.observe(two(np.full(10, 0.2)), two(np.full(10, 0.8))))
    assert reach.bank == 1


def test_small_steps_of_values_risk_little() -> None:
    reach = Reach(4.0, credit=5.0)
    risks = reach.observe(np.zeros(3), np.array([2.0, 0.0, -4.0]))
    assert risks[:, 0] == pytest.approx(STEPS**2)
    assert risks[-1].tolist() == [1.0, 0.0, 4.0]


def test_the_state_goes_on_exactly() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.1, 0.9, 900)
    one, other = Reach(0.0, credit=5.0), Reach(0.0, credit=5.0)
    one.begin()
    truth = (rng.random(900) < p).astype(int)
    served(one, 300, source=two(p), mixed=two(p**2), lag=50, truth=truth)
    other.load_state_dict(one.state_dict())
    rest = [
        served(reach, 300, source=two(p), mixed=two(p**2), lag=400, truth=truth, first=300) for reach in (one, other)
    ]
    assert np.array_equal(*rest)
    assert all(np.array_equal(v, other.state_dict()[k]) for k, v in one.state_dict().items())
