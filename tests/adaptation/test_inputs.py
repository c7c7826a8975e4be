import numpy as np
import pytest

from temperance.adaptation.inputs import InputCheck
from temperance.monitoring.monitor import Monitor
from temperance.records.errors import DataError
from temperance.records.schema import Rows


def watched(world, x):
    monitor = Monitor(world.reference, world.schema)
    monitor.observe(Rows(x, np.empty((len(x), 0), np.int32)), world.model(x))
    return InputCheck(monitor)


def test_the_right_shares_explain_a_label_shift_and_the_old_ones_do_not(world):
    check = watched(world, world.draw(world.labels(1500, 0.9, seed=2), seed=3))
    assert check(np.array([0.1, 0.9])) > 0.05
    assert check(np.array([0.5, 0.5])) < 1e-6


def test_no_shares_explain_moved_inputs(world):
    check = watched(world, world.draw(world.labels(1500, 0.5, seed=4), seed=5) + np.array([0.5, -0.8]))
    assert max(check(np.array([1 - s, s])) for s in np.linspace(0, 1, 21)) < 0.01


def test_unshifted_traffic_is_rarely_rejected(world):
    even = np.array([0.5, 0.5])
    p = [watched(world, world.draw(world.labels(1500, 0.5, seed=s), seed=s + 500))(even) for s in range(100, 120)]
    assert np.mean(np.array(p) < 0.05) <= 0.2
    assert watched(world, np.empty((0, 2)))(even) == 1.0


def test_a_reference_without_targets_is_refused(world):
    monitor = Monitor({k: v for k, v in world.reference.items() if k != "class_counts"}, world.schema)
    with pytest.raises(DataError, match="per class"):
        InputCheck(monitor)
