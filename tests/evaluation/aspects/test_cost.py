import numpy as np
import pytest

from temperance.evaluation.aspects.cost import Cost
from temperance.records.decision import Costs, Decision

DEAR = Decision(Costs(("no", "yes"), ((0.0, 1.0), (10.0, 0.0))))


def test_costs_by_hand(binary, make) -> None:
    case = make.case(binary, settings={"decision": DEAR})
    reading = Cost().measure(case)
    answer = DEAR.answers(case.outcome.prediction)
    truth = binary[0].target
    plain = np.where(answer == truth, 0.0, np.where(truth == 1, 10.0, 1.0))
    assert reading["expected_cost"].value == pytest.approx(plain.mean())
    assert reading.examples["cost"] == pytest.approx(plain)
    assert reading["expected_cost"].low < plain.mean() < reading["expected_cost"].high
    assert f"{1000 * plain.mean():.4g}" in reading.sentences[0]
    assert {one["answer"] for one in reading.details["others"]} == {None, "no", "yes"}


def test_without_costs_and_for_values(binary, regression, make) -> None:
    assert "--cost" in Cost().measure(make.case(binary)).not_done[0][1]
    assert "wrong classes" in Cost().measure(make.case(regression)).not_done[0][1]
