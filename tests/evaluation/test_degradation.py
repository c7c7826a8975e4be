import numpy as np
import pytest

from temperance.evaluation.degradation import changes, difference_of, sentences
from temperance.records.measurement import Measurement
from temperance.records.statistics import newcombe, wilson


def share(name: str, hits: int, n: int, convention: str = "") -> Measurement:
    low, high = wilson(hits, n)
    return Measurement(name, hits / n, low, high, n, convention=convention)


def test_of_two_shares_it_is_newcombes_interval() -> None:
    low, high = difference_of(share("accuracy", 56, 70), share("accuracy", 48, 80))
    assert (low, high) == pytest.approx(newcombe((56, 70), (48, 80)))
    assert difference_of(Measurement("a", 1.0), share("a", 5, 10)) is None


def test_worse_better_and_neither() -> None:
    record = {m.name: m for m in (share("accuracy", 900, 1000), share("kappa", 500, 1000), share("other", 700, 1000))}
    now = [share("accuracy", 800, 1000), share("kappa", 600, 1000), share("other", 690, 1000), share("new", 1, 2)]
    found = {c.name: c.verdict for c in changes(now, record)}
    assert found == {"accuracy": "worse", "kappa": "better", "other": "no evidence of difference"}
    said = sentences(changes(now, record))
    assert said[0].startswith("Worse than when it was made: accuracy was 0.9 (between 0.88 and 0.917) on its own 1,000")
    assert "is 0.8 now (change -0.1" in said[0]
    assert said[-1] == "Better than its record: kappa."
    calm = changes(now[2:], record)
    assert "no figure of 1 is clearly worse" in sentences(calm)[0]


def test_lower_is_better_turns_the_verdict_round() -> None:
    then, now = (
        Measurement("rmse", 1.0, 0.9, 1.1, 500, better="lower"),
        Measurement("rmse", 2.0, 1.8, 2.2, 500, better="lower"),
    )
    (one,) = changes([now], {"rmse": then})
    assert (one.verdict, one.difference.value) == ("worse", 1.0)
    assert one.difference.low > 0.7


def test_other_conventions_are_not_compared() -> None:
    assert changes([share("a", 5, 10, "15 bins")], {"a": share("a", 9, 10, "10 bins")}) == ()
    clustered = share("a", 5, 100, "15 bins; rows of one group counted together")
    assert len(changes([clustered], {"a": share("a", 90, 100, "15 bins")})) == 1


def test_false_alarms_are_rare() -> None:
    random = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        a, b = random.binomial(300, 0.9), random.binomial(500, 0.9)
        (one,) = changes([share("accuracy", a, 300)], {"accuracy": share("accuracy", b, 500)})
        wrong += one.verdict != "no evidence of difference"
    assert wrong / 400 <= 0.07
