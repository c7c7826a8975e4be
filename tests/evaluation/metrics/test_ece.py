import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.binning import equal_mass
from temperance.evaluation.metrics.ece import Ece, EceEqualWidth, EceFloor, below_floor, noise_floor


def from_confidence(confidence, correct):
    p = np.stack([confidence, 1 - confidence], axis=1)
    return Outcome(p, 1 - np.asarray(correct, dtype=np.int64), "binary")


def model(n, sharper=1.0, seed=0):
    """Return rows of a model that is true at ``sharper`` = 1 and over-confident above."""
    generator = np.random.default_rng(seed)
    z = np.abs(2 * generator.normal(size=n))
    right = generator.random(n) < 1 / (1 + np.exp(-z))
    return from_confidence(1 / (1 + np.exp(-z * sharper)), right)


def test_toy_by_hand():
    """10 bins [low, high) give 0.32."""
    o = from_confidence(np.array([0.95, 0.85, 0.8, 0.65, 0.55]), [1, 1, 0, 1, 0])
    assert EceEqualWidth(bins=10).measure(o).value == pytest.approx(0.32)


def test_a_confidence_of_one_falls_into_the_last_bin():
    """Predictions .95 (right) and 1.0 (wrong), 10 bins: 0.475, not 0.525."""
    o = from_confidence(np.array([0.95, 1.0]), [1, 0])
    assert EceEqualWidth(bins=10).measure(o).value == pytest.approx(0.475)


@pytest.mark.parametrize("cls", [Ece, EceEqualWidth])
def test_the_plain_definition(cls):
    o = model(700, 2.0)
    order = np.argsort(o.confidence)
    if cls is Ece:
        parts = np.array_split(order, 15)
    else:
        parts = [
            np.flatnonzero((o.confidence >= b / 15) & ((o.confidence < (b + 1) / 15) | (b == 14))) for b in range(15)
        ]
    plain = sum(
        len(part) / 700 * abs(o.confidence[part].mean() - o.correct[part].mean()) for part in parts if len(part)
    )
    assert cls().measure(o).value == pytest.approx(plain)


def test_floor_is_the_plain_simulation():
    o = model(300)
    code = equal_mass(o.confidence)
    generator = np.random.default_rng(5)
    plain = []
    for _ in range(2000):
        right = generator.random(300) < o.confidence
        plain.append(sum(abs((o.confidence - right)[code == b].sum()) for b in range(15)) / 300)
    assert Ece().floor(o) == pytest.approx(np.quantile(plain, 0.95), rel=0.05)
    assert EceFloor().measure(o).value == pytest.approx(Ece().floor(o))
    assert EceFloor().measure(o).low is None


def test_floor_of_many_rows_uses_the_normal_law():
    o = model(20_000)
    code = equal_mass(o.confidence)
    few = noise_floor(o.confidence, code, draws=150)  # 3,000,000 coin flips: one by one
    many = noise_floor(o.confidence, code, draws=151)
    assert few == pytest.approx(many, rel=0.1)


def test_only_more_than_chance_is_called_miscalibrated():
    assert below_floor(Ece().measure(model(500, 1.0)))
    assert not below_floor(Ece().measure(model(2000, 2.0)))


@pytest.mark.slow
def test_the_interval_holds_the_true_value():
    """Coverage of the true binned calibration error of an over-confident model, which the plain bootstrap misses."""
    big = model(2_000_000, 2.0, seed=99)
    truth = Ece().measure(big).value
    held = []
    for seed in range(300):
        m = Ece(seed=seed).measure(model(800, 2.0, seed=seed))
        held.append(m.low <= truth <= m.high)
    assert np.mean(held) > 0.9
