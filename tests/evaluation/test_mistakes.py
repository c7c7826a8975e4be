import json

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score, roc_curve

from temperance.evaluation.base import Outcome
from temperance.evaluation.mistakes import mistakes


def outcome(n=500, c=2, seed=0):
    generator = np.random.default_rng(seed)
    p = generator.dirichlet(np.ones(c), size=n)
    return Outcome(p, (p.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1), "binary" if c == 2 else "multiclass")


@pytest.mark.parametrize("c", [2, 4])
def test_as_scikit_learn_has_it(c):
    seen = outcome(c=c)
    found = mistakes(seen, tuple("abcd"[:c]))
    assert found["confusion"] == confusion_matrix(seen.target, seen.label).tolist()
    recalls = recall_score(seen.target, seen.label, average=None)
    precisions = precision_score(seen.target, seen.label, average=None)
    assert [row["recall"]["value"] for row in found["classes"]] == pytest.approx(recalls)
    assert [row["precision"]["value"] for row in found["classes"]] == pytest.approx(precisions)
    assert all(row["recall"]["low"] < row["recall"]["value"] < row["recall"]["high"] for row in found["classes"])
    json.dumps(found, allow_nan=False)


def test_the_curve_is_of_the_rarer_class_and_holds_the_threshold_in_use():
    seen = outcome()
    rare = Outcome(
        seen.prediction[:, ::-1] ** 2 / (seen.prediction**2).sum(axis=1, keepdims=True), seen.target * 0, "binary"
    )
    rare.target[:40] = 1
    found = mistakes(rare, ("common", "rare"))
    assert found["case"] == "rare"
    false, caught, limits = roc_curve(rare.target, rare.prediction[:, 1], drop_intermediate=False)
    for point in found["curve"]:
        i = int(np.argmin(np.abs(limits - point["threshold"])))
        assert (point["false_alarms"], point["recall"]) == pytest.approx((false[i], caught[i]))
    used = found["threshold"]
    assert used["caught"] + used["missed"] == 40
    assert used["caught"] == found["confusion"][1][1]
    assert used["false"] == found["confusion"][0][1]
    assert mistakes(Outcome(rare.prediction, 1 - rare.target, "binary"), ("rare", "common"))["case"] == "rare"


def test_one_true_class_alone_and_an_answer_never_given():
    p = np.tile([0.9, 0.1], (30, 1))
    found = mistakes(Outcome(p, np.zeros(30, dtype=np.int64), "binary"), ("a", "b"))
    assert found["curve"] == []
    assert found["classes"][1]["recall"] is None
    assert found["classes"][1]["precision"] is None


def test_many_classes_are_left_out_with_the_reason():
    seen = outcome(c=25)
    assert mistakes(seen, tuple(map(str, range(25))))["left_out"] == "25 classes are too many for a table"


def test_numbers_tell_residuals_and_where_they_lean():
    generator = np.random.default_rng(0)
    guess = generator.uniform(0, 100, size=1000)
    truth = guess + np.where(guess > 80, 10, 0) + generator.normal(size=1000)
    found = mistakes(Outcome(guess, truth, "regression"), ())
    assert len(found["dots"]) == 200
    assert [part["residual"]["low"] > 5 for part in found["sizes"]] == [False, False, False, False, True]
    assert found["residuals"]["0.5"] == pytest.approx(np.median(truth - guess))
