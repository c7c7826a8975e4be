"""The decision is chosen on held-out rows, and the test rows say what it is worth."""

import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.decision import decide, priced
from temperance.records.decision import Costs, Decision

TWO = ("no", "yes")
DEAR = Costs.of([("yes", "no", 10), ("no", "yes", 1)], TWO)


STATED = Decision(DEAR)


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    chance = random.beta(1, 3, n)
    return np.stack([1 - chance, chance], axis=1), (random.random(n) < chance).astype(np.int64)


def test_true_chances_lose_nothing_to_the_choice():
    found = [decide(*drawn(400, seed), DEAR).threshold for seed in range(20)]
    assert sum(t == pytest.approx(1 / 11) for t in found) >= 14
    chances, truth = drawn(100_000, 99)
    best = DEAR.of_rows(truth, Decision(DEAR).answers(chances)).mean()
    paid = [DEAR.of_rows(truth, Decision(DEAR, t).answers(chances)).mean() for t in found]
    assert np.mean(paid) < 1.01 * best
    rash = [decide(*drawn(400, seed), DEAR, sure=0.0).threshold for seed in range(20)]
    assert np.mean([DEAR.of_rows(truth, Decision(DEAR, t).answers(chances)).mean() for t in rash]) > 1.02 * best


def test_false_chances_give_way_to_the_rows():
    chances, truth = drawn(4000)
    low = chances[:, 1] / 4  # the model understates the dear class
    false = np.stack([1 - low, low], axis=1)
    decision = decide(false, truth, DEAR)
    assert decision.threshold == pytest.approx(1 / 44, rel=0.5)
    assert decision.n == 4000
    stated = DEAR.of_rows(truth, Decision(DEAR).answers(false)).mean()
    assert DEAR.of_rows(truth, decision.answers(false)).mean() < 0.9 * stated
    assert decide(false, truth, DEAR, sure=np.inf).threshold == pytest.approx(1 / 11)


def test_weights_and_groups_count_in_the_choice():
    chances, truth = drawn(4000)
    low = chances[:, 1] / 4
    false = np.stack([1 - low, low], axis=1)
    weight = np.where(truth == 1, 1e-6, 1.0)  # missing the dear class no longer matters
    assert decide(false, truth, DEAR, sample_weight=weight).threshold >= 1 / 11
    one = decide(false, truth, DEAR, groups=np.zeros(4000, dtype=int))
    assert one.threshold == pytest.approx(1 / 11)  # one group says nothing about its chance


def test_the_least_cost_threshold_is_found_among_all():
    chance = np.array([0.9, 0.8, 0.3, 0.2])
    truth = np.array([1, 0, 1, 0])
    decision = decide(np.stack([1 - chance, chance], 1), truth, DEAR, sure=0.0)
    assert decision.answers(np.stack([1 - chance, chance], 1)).tolist() == [1, 1, 1, 0]


def test_several_classes_follow_the_costs():
    costs = Costs.of([("a", "b", 3)], ("a", "b", "c"))
    assert decide(np.full((5, 3), 1 / 3), np.zeros(5, dtype=int), costs) == Decision(costs)


def seen(n: int = 500, decision: Decision | None = STATED) -> Outcome:
    chances, truth = drawn(n, 7)
    return Outcome(chances, truth, "binary", decision=decision)


def test_the_cost_stands_beside_argmax_and_each_constant_answer():
    outcome = seen()
    found = priced(outcome, TWO)
    answer = outcome.prediction[:, 1] >= 1 / 11
    cost = np.where(outcome.target == 1, np.where(answer, 0, 10), np.where(answer, 1, 0))
    assert found["expected"]["value"] == pytest.approx(cost.mean())
    assert found["expected"]["low"] < cost.mean() < found["expected"]["high"]
    by_rule = {other["answer"]: other for other in found["others"]}
    assert list(by_rule) == [None, "no", "yes"]
    never = 10 * outcome.target.mean()
    assert by_rule["no"]["expected"]["value"] == pytest.approx(never)
    assert by_rule["no"]["difference"]["value"] == pytest.approx(cost.mean() - never)
    assert by_rule["no"]["verdict"] == by_rule[None]["verdict"] == "better"


def test_a_bad_threshold_is_called_worse():
    found = priced(seen(decision=Decision(DEAR, 0.99)), TWO)
    assert {other["answer"]: other["verdict"] for other in found["others"]}["yes"] == "worse"


def test_the_table_is_told_for_the_class_that_is_dear_to_miss():
    found = priced(seen(), TWO)
    assert (found["case"], found["limit"]) == ("yes", pytest.approx(1 / 11))
    used = [row for row in found["table"] if row["used"]]
    assert len(used) == 1
    assert used[0]["cost"] == pytest.approx(found["expected"]["value"])
    assert used[0]["caught"] + used[0]["missed"] == seen().target.sum()
    other = priced(seen(decision=Decision(Costs.of([("no", "yes", 10)], TWO))), TWO)
    assert (other["case"], other["limit"]) == ("no", pytest.approx(1 / 11))
    row = next(row for row in other["table"] if row["used"])
    assert row["caught"] + row["missed"] == (seen().target == 0).sum()
    assert row["cost"] == pytest.approx(other["expected"]["value"])


def test_answers_without_costs_have_no_price():
    assert priced(seen(decision=None), TWO) is None
