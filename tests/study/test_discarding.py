"""Only what is clearly worse at the same mark is discarded."""

import numpy as np

from temperance.study.discarding import Discarding


def seen(least, **losses):
    made = Discarding(least=least)
    for name, values in losses.items():
        made.note(name, 0.5, values)
    return made


def test_first_trials_are_never_discarded():
    assert seen(2).judge("a", 0.5, np.full(50, 1.0))[0]
    assert seen(2, a=np.full(50, 1.0)).judge("b", 0.5, np.full(50, 9.0))[0]


def test_a_clearly_worse_trial_is_discarded_with_its_evidence():
    rng = np.random.default_rng(0)
    base = rng.normal(size=200) * 0.1
    known = seen(2, a=0.5 + base, b=0.5 + base[::-1])
    go_on, reason = known.judge("c", 0.5, 0.9 + rng.normal(size=200) * 0.1)
    assert not go_on
    assert reason["best"] in ("a", "b")
    assert reason["p"] < 0.01


def test_a_slightly_worse_trial_goes_on():
    rng = np.random.default_rng(0)
    known = seen(2, **{name: 0.5 + rng.normal(size=100) for name in "ab"})
    assert known.judge("c", 0.5, 0.55 + rng.normal(size=100))[0]


def test_rows_that_were_not_predicted_do_not_count():
    part = np.r_[np.full(30, 0.5), np.full(30, np.nan)]
    go_on, reason = seen(1, a=part).judge("b", 0.5, part)
    assert go_on
    assert reason["loss"] == 0.5


def test_a_trial_is_not_its_own_rival():
    known = seen(1, a=np.full(50, 0.1))
    assert known.judge("a", 0.5, np.full(50, 9.0))[1] == {"loss": 9.0}
