import numpy as np

from temperance.evaluation.calibration import Identity


def test_nothing_changes():
    p = np.array([[1.0, 0.0], [0.3, 0.7]])
    assert Identity.fit(np.log(p + 1e-12), np.array([0, 1])) == Identity()
    assert np.array_equal(Identity().apply(p), p)
    assert Identity().shrunk(0.5) == Identity()
