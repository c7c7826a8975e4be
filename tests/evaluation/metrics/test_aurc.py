import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.aurc import Aurc, abstention, risk_at


def toy():
    p = np.array([[0.95, 0.05], [0.85, 0.15], [0.8, 0.2], [0.65, 0.35], [0.55, 0.45]])
    return Outcome(p, np.array([0, 0, 1, 0, 1]), "binary")


def random(n=400, digits=8):
    generator = np.random.default_rng(0)
    p = generator.uniform(0.5, 1, size=n).round(digits)
    return Outcome(np.stack([1 - p, p], axis=1), (generator.random(n) < p).astype(np.int64), "binary")


def test_toy_by_hand():
    """Mean of 0, 0, 1/3, 1/4, 2/5; 0.196667 in all."""
    assert Aurc().measure(toy()).value == pytest.approx(0.196667, abs=1e-6)


def test_the_plain_definition():
    o = random()
    error = 1 - o.correct[np.argsort(-o.confidence)]
    plain = np.mean([error[: k + 1].mean() for k in range(o.n)])
    assert Aurc().measure(o).value == pytest.approx(plain)


def test_ties_take_their_expected_value():
    o = random(n=60, digits=1)
    generator = np.random.default_rng(1)
    plain = []
    for _ in range(3000):
        error = 1 - o.correct[np.lexsort((generator.random(o.n), -o.confidence))]
        plain.append((error.cumsum() / np.arange(1, o.n + 1)).mean())
    assert Aurc().measure(o).value == pytest.approx(np.mean(plain), abs=4 * np.std(plain) / np.sqrt(3000))


def test_spread_of_contributions_is_that_of_the_bootstrap():
    o = random()
    generator = np.random.default_rng(1)
    draws = [Aurc().contributions(o.take(generator.integers(0, o.n, o.n))).mean() for _ in range(400)]
    assert Aurc().contributions(o).std() / np.sqrt(o.n) == pytest.approx(np.std(draws), rel=0.15)


def test_handing_over_the_least_certain():
    assert risk_at(toy(), coverage=0.4) == 0.0
    assert risk_at(toy(), coverage=1.0) == pytest.approx(0.4)
    rows = abstention(random())
    assert rows[0] == {"handed_over": 0.0, "error": pytest.approx(1 - random().correct.mean())}
    assert rows[-1]["error"] < rows[0]["error"]
