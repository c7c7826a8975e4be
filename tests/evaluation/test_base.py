import numpy as np
import pytest

from temperance.evaluation.base import Outcome, clustered_wilson, half_width, outcome
from temperance.evaluation.metrics.accuracy import Accuracy
from temperance.evaluation.metrics.registry import METRICS
from temperance.records.errors import DataError
from temperance.records.schema import Target
from temperance.records.statistics import wilson

CLASSES = Target("y", "multiclass", ("a", "b", "c"))
VALUES = Target("y", "regression")
P = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])


def test_views_of_an_outcome():
    o = outcome(P, target=[1, 2], spec=CLASSES, groups=[7, 8])
    assert o.n == 2
    assert o.label.tolist() == [1, 0]
    assert o.confidence.tolist() == [0.5, 0.6]
    assert o.correct.tolist() == [1, 0]
    part = o.take([1])
    assert part.n == 1
    assert part.groups.tolist() == [8]


@pytest.mark.parametrize(
    ("prediction", "target", "words"),
    [
        (np.zeros((0, 3)), [], "no rows"),
        (P[:, :2], [1, 2], "shape"),
        (P * 2, [1, 2], "probabilities"),
        (np.where(P == 0.5, np.nan, P), [1, 2], "not finite"),
        (P, [1, 3], "known classes"),
        (P, [1, -1], "known classes"),
        (P, [1, 0.5], "known classes"),
    ],
)
def test_unusable_classes_are_refused(prediction, target, words):
    with pytest.raises(DataError, match=words):
        outcome(prediction, target=np.asarray(target), spec=CLASSES)


def test_unusable_values_are_refused():
    with pytest.raises(DataError, match="missing or infinite"):
        outcome([1.0, 2.0], target=[1.0, np.nan], spec=VALUES)
    with pytest.raises(DataError, match="shape"):
        outcome([1.0], target=[1.0, 2.0], spec=VALUES)
    assert outcome([[1.0], [2.0]], target=[1, 2], spec=VALUES).prediction.shape == (2,)


def test_groups_widen_the_interval_of_a_share():
    hits = np.repeat([1.0, 1.0, 1.0, 0.0], 25)
    alone = clustered_wilson(hits, None)
    grouped = clustered_wilson(hits, np.repeat(np.arange(4), 25))
    assert alone == wilson(75, 100)
    assert grouped.low < alone.low
    assert grouped.high > alone.high
    assert clustered_wilson(np.ones(100), np.repeat(np.arange(4), 25)) == wilson(4, 4)


def test_measurement_says_that_groups_were_used():
    o = Outcome(P, np.array([1, 0]), "multiclass", groups=np.array([1, 2]))
    assert "group" in Accuracy().measure(o).convention
    assert Accuracy(seed=1) == Accuracy(seed=2)


def test_half_width():
    assert half_width(1.0) == pytest.approx(1.96, abs=1e-3)


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "brier"])
def test_a_weight_counts_like_copies_of_the_row(name):
    random = np.random.default_rng(0)
    p = random.uniform(size=200)
    chances, truth = np.stack([1 - p, p], axis=1), (random.random(200) < p).astype(int)
    weight = random.integers(1, 4, 200)
    copies = np.repeat(np.arange(200), weight)
    one = METRICS[name]()
    weighed = one.measure(Outcome(chances, truth, "binary", weight=weight.astype(float)))
    copied = one.measure(Outcome(chances[copies], truth[copies], "binary", groups=copies))
    assert weighed.value == pytest.approx(copied.value)
    assert weighed.low < weighed.value < weighed.high
    assert weighed.high - weighed.low == pytest.approx(copied.high - copied.low, rel=0.15)
    assert weighed.convention.endswith("rows weighted")
    assert "not weighted" in METRICS["roc_auc"]().measure(Outcome(chances, truth, "binary", weight=weight)).convention


def test_weighted_losses_compare_as_weighted_means():
    truth, weight = np.zeros(4), np.array([3.0, 1.0, 1.0, 1.0])
    first, second = (
        METRICS["mae"]().losses(Outcome(np.array(p), truth, "regression", weight=weight))
        for p in ([2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0])
    )
    assert (first - second).mean() == pytest.approx((3 * 2 - 3 * 1) / 6)


def test_calibration_is_not_binned_for_weighted_rows():
    chances, truth = np.full((50, 2), 0.5), np.arange(50) % 2
    plain, weighed = (Outcome(chances, truth, "binary", weight=w) for w in (None, np.arange(50) + 1.0))
    assert METRICS["ece"]().applies(plain)
    assert not METRICS["ece"]().applies(weighed)
