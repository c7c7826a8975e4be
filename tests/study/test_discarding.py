"""Only what is clearly worse at the same mark is discarded."""

import numpy as np

from temperance.study.race import Race


def test_first_trials_are_never_discarded():
    race = Race(least=2)
    assert race.judge("a", 0.5, np.full(50, 1.0))[0]
    assert race.judge("b", 0.5, np.full(50, 9.0))[0]


def test_a_clearly_worse_trial_is_discarded_with_its_evidence():
    rng = np.random.default_rng(0)
    base = rng.normal(size=200) * 0.1
    race = Race(least=2)
    race.judge("a", 0.5, 0.5 + base)
    race.judge("b", 0.5, 0.5 + base[::-1])
    go_on, reason = race.judge("c", 0.5, 0.9 + rng.normal(size=200) * 0.1)
    assert not go_on
    assert reason["best"] in ("a", "b")
    assert reason["p"] < 0.01


def test_a_slightly_worse_trial_goes_on():
    rng = np.random.default_rng(0)
    race = Race(least=2)
    for name in "ab":
        race.judge(name, 0.5, 0.5 + rng.normal(size=100))
    assert race.judge("c", 0.5, 0.55 + rng.normal(size=100))[0]


def test_rows_that_were_not_predicted_do_not_count():
    race = Race(least=1)
    race.judge("a", 0.2, np.r_[np.full(30, 0.5), np.full(30, np.nan)])
    go_on, reason = race.judge("b", 0.2, np.r_[np.full(30, 0.5), np.full(30, np.nan)])
    assert go_on
    assert reason["loss"] == 0.5
