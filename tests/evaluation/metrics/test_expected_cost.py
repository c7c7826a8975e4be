import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.expected_cost import ExpectedCost
from temperance.evaluation.metrics.registry import measure
from temperance.records.decision import Costs, Decision

COSTS = Costs.of([("b", "a", 4)], ("a", "b"))
CHANCES = np.array([[0.9, 0.1], [0.7, 0.3], [0.9, 0.1], [0.2, 0.8]])


def test_each_row_costs_what_its_answer_costs():
    outcome = Outcome(CHANCES, np.array([0, 0, 1, 1]), "binary", decision=Decision(COSTS))
    assert ExpectedCost().contributions(outcome).tolist() == [0.0, 1.0, 4.0, 0.0]
    assert ExpectedCost().measure(outcome).value == pytest.approx(1.25)


def test_it_is_measured_only_where_there_are_costs():
    truth = np.array([0, 0, 1, 1])
    assert "expected_cost" not in {m.name for m in measure(Outcome(CHANCES, truth, "binary"))}
    with pytest.raises(ValueError, match="no costs"):
        ExpectedCost().contributions(Outcome(CHANCES, truth, "binary"))


def test_accuracy_is_of_the_answers_and_calibration_of_the_chances():
    truth = np.array([0, 1, 0, 1])
    by_cost = {m.name: m.value for m in measure(Outcome(CHANCES, truth, "binary", decision=Decision(COSTS)))}
    plain = {m.name: m.value for m in measure(Outcome(CHANCES, truth, "binary"))}
    assert (by_cost["accuracy"], plain["accuracy"]) == (1.0, 0.75)
    assert by_cost["ece"] == plain["ece"]
    assert by_cost["log_loss"] == plain["log_loss"]
