import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.qwk import Qwk


def drawn(n: int, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    chances = random.dirichlet(np.ones(4), n)
    truth = np.clip(np.argmax(chances, axis=1) + random.integers(-1, 2, n), 0, 3)
    return Outcome(chances, truth, "multiclass", ordered=True)


def test_it_is_scikit_learns_kappa():
    seen = drawn(300, 0)
    assert Qwk().measure(seen).value == pytest.approx(cohen_kappa_score(seen.target, seen.label, weights="quadratic"))


def test_its_standard_error_is_that_of_many_draws():
    values = [Qwk().measure(drawn(200, seed)).value for seed in range(200)]
    error = Qwk().contributions(drawn(200, 0)).std() / np.sqrt(200)
    assert error == pytest.approx(np.std(values), rel=0.25)


def test_one_level_only_agrees_by_chance():
    seen = Outcome(np.array([[1.0, 0, 0]] * 5), np.zeros(5, dtype=int), "multiclass", ordered=True)
    assert Qwk().contributions(seen).tolist() == [0.0] * 5
