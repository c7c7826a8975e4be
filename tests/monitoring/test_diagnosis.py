import json

import numpy as np
import pytest

from temperance.monitoring.claims import Claim
from temperance.monitoring.degradation import LossMonitor
from temperance.monitoring.diagnosis import diagnose
from temperance.records.measurement import Measurement
from temperance.records.verdict import Verdict

GOOD = Measurement("expected_accuracy", 0.8, 0.77, 0.83, 500)
UNKNOWN = Measurement("expected_accuracy", 0.8, None, None, 500, flags=("unknown: half of the rows are unlike it",))


def verdict(channel: str, *, points: float | None = -1.0, up: float = 0.7, state: str = "alarm") -> Verdict:
    details = {"psi": 0.5, "up": up, "points": points}
    return Verdict(channel, state, 1e9, 1e6, 500, f"{channel} changed.", details)  # type: ignore[arg-type]


def test_calm_is_said_to_be_calm() -> None:
    found = diagnose([verdict("feature:age", state="calm")], quality=GOOD)
    assert (found.cause, found.step, found.columns) == ("none", "nothing", ())


def test_a_column_that_left_its_range_is_a_matter_of_the_source() -> None:
    found = diagnose([verdict("feature:height", up=0.99)], quality=UNKNOWN)
    assert (found.cause, found.step) == ("data source", "check the data")
    assert "“height” has left its usual range" in found.why
    assert "cannot be told" in found.impact
    moved = diagnose([verdict("feature:height", up=0.99)], quality=UNKNOWN, adaptation={"serving": "alignment"})
    assert "moved back meanwhile" in moved.action
    assert "empty or unknown" in diagnose([verdict("missing:height", up=0.6)], quality=GOOD).why


def test_other_cases_ask_for_labels_only_where_they_cost() -> None:
    cheap = diagnose([verdict("feature:age", points=-0.5)], quality=GOOD)
    assert (cheap.cause, cheap.step) == ("cases", "nothing")
    dear = diagnose([verdict("feature:age", points=-1.5), verdict("feature:pay", points=-4.0)], quality=GOOD)
    assert (dear.step, dear.columns[0]) == ("relabel", ("pay", -4.0))
    assert 80 <= dear.labels <= 200
    assert f"{dear.labels:,} recent rows" in dear.action
    assert diagnose([verdict("feature:age", points=None)], quality=UNKNOWN).step == "relabel"


def test_answers_that_moved_alone_are_class_shares() -> None:
    found = diagnose([verdict("prediction")], quality=GOOD)
    assert (found.cause, found.step) == ("class shares", "adapt")
    served = diagnose([verdict("prediction"), verdict("feature:a")], quality=GOOD, adaptation={"serving": "adapted"})
    assert served.cause == "class shares"
    assert "being corrected" in served.action


def test_labels_that_show_a_loss_ask_for_more_or_for_training() -> None:
    loss = LossMonitor(0.2, average_run_length=1000)
    loss.observe(np.ones(100))
    few = diagnose([], quality=GOOD, loss=loss)
    assert (few.cause, few.step, few.labels) == ("relation", "relabel", 200)
    assert "look as they did" in few.why
    loss.observe(np.ones(300))
    many = diagnose([verdict("feature:age")], quality=GOOD, loss=loss)
    assert (many.cause, many.step) == ("relation", "retrain")
    assert "temperance retrain" in many.action
    assert "1.000" in many.impact


def test_a_refuted_estimate_is_never_given_as_the_impact() -> None:
    p = np.tile([0.1, 0.9], (200, 1))
    claim = Claim({"sample": p, "sample_target": np.ones(200, dtype=np.int64)})
    claim.observe(p[:60], np.zeros(60))
    found = diagnose([], quality=GOOD, claim=claim)
    assert found.cause == "relation"
    assert "does not hold" in found.impact


@pytest.mark.parametrize("quality", [None, GOOD, UNKNOWN, Measurement("expected_squared_error", 2.0, 1.5, 2.5, 9)])
def test_it_is_json_and_reads_as_sentences(quality: Measurement | None) -> None:
    found = diagnose([verdict("feature:age"), verdict("feature:b", points=None)], quality=quality)
    json.dumps(found.to_dict())
    assert str(found).count(".") >= 3
