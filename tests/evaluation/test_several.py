from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from temperance.evaluation.base import outcome
from temperance.evaluation.several import is_yes_no, together
from temperance.records.errors import DataError
from temperance.records.schema import Target

YES = [Target(f"t{j}", "binary", ("no", "yes")) for j in range(3)]
NUMBERS = [Target(f"v{j}", "regression") for j in range(2)]


def answers(rows: int = 400, seed: int = 0):
    random = np.random.default_rng(seed)
    truth = (random.random((rows, 3)) < (0.5, 0.2, 0.05)).astype(int)
    chance = np.clip(0.25 + 0.5 * truth + random.normal(size=truth.shape) * 0.25, 0.01, 0.99)
    return truth, chance


def of_labels(truth, chance):
    pairs = zip(truth.T, chance.T, YES, strict=True)
    return [outcome(np.stack([1 - p, p], 1), target=t, spec=target) for t, p, target in pairs]


def test_labels_are_measured_as_scikit_learn_does() -> None:
    truth, chance = answers()
    found = {one.name: one for one in together(of_labels(truth, chance), YES)}
    said = (chance > 0.5).astype(int)
    expected = {
        "subset_accuracy": oracle.accuracy_score(truth, said),
        "mean_accuracy": 1 - oracle.hamming_loss(truth, said),
        "mean_log_loss": np.mean([oracle.log_loss(t, p) for t, p in zip(truth.T, chance.T, strict=True)]),
        "label_micro_f1": oracle.f1_score(truth, said, average="micro"),
        "label_macro_f1": oracle.f1_score(truth, said, average="macro"),
    }
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=1e-9), name
        assert found[name].low < value < found[name].high
        assert found[name].n == 400


def test_intervals_of_f1_hold_what_a_bootstrap_holds() -> None:
    truth, chance = answers(300, seed=1)
    said, random = (chance > 0.5).astype(int), np.random.default_rng(0)
    found = {one.name: one for one in together(of_labels(truth, chance), YES)}
    draws = [random.integers(300, size=300) for _ in range(400)]
    for name, average in (("label_micro_f1", "micro"), ("label_macro_f1", "macro")):
        values = [oracle.f1_score(truth[d], said[d], average=average, zero_division=0) for d in draws]
        low, high = np.quantile(values, [0.025, 0.975])
        assert found[name].low == pytest.approx(low, abs=0.03)
        assert found[name].high == pytest.approx(high, abs=0.03)


def test_numbers_are_averaged_over_targets() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=(200, 2)) * (1.0, 100.0)
    guess = truth + random.normal(size=(200, 2)) * (0.5, 20.0)
    found = {
        one.name: one
        for one in together(
            [outcome(g, target=t, spec=s) for g, t, s in zip(guess.T, truth.T, NUMBERS, strict=True)], NUMBERS
        )
    }
    assert found["mean_r2"].value == pytest.approx(oracle.r2_score(truth, guess))
    scaled = ((guess - truth) ** 2 / truth.var(axis=0)).mean()
    assert found["mean_scaled_error"].value == pytest.approx(np.sqrt(scaled))
    assert found["mean_scaled_error"].low < np.sqrt(scaled) < found["mean_scaled_error"].high


def test_nothing_is_said_of_numbers_and_classes_together() -> None:
    truth, chance = answers()
    number = outcome(truth[:, 0].astype(float), target=truth[:, 0], spec=NUMBERS[0])
    assert together([of_labels(truth, chance)[0], number], [YES[0], NUMBERS[0]]) == ()


def test_classes_that_are_no_yes_and_no_have_no_f1() -> None:
    truth, chance = answers()
    named = [Target(f"t{j}", "binary", ("female", "male")) for j in range(3)]
    assert "label_micro_f1" not in {one.name for one in together(of_labels(truth, chance), named)}
    assert is_yes_no(Target("a", "binary", ("0", "1")))
    assert not is_yes_no(Target("a", "binary", ("yes", "no")))


def test_other_rows_are_refused() -> None:
    truth, chance = answers()
    parts = of_labels(truth, chance)
    with pytest.raises(DataError, match="the same rows"):
        together([parts[0], parts[1].take(slice(10))], YES[:2])
