import numpy as np
import pytest

from temperance.evaluation.base import Outcome, clustered_wilson, half_width, outcome
from temperance.evaluation.metrics.accuracy import Accuracy
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
