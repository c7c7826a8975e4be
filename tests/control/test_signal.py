import numpy as np

from temperance.control.signal import STANDARD, read


def test_absent_and_infinite_are_nan():
    assert np.isnan(read({}, "gap"))
    assert np.isnan(read({"gap": float("inf")}, "gap"))
    np.testing.assert_array_equal(read({"gap": 0.5}, "gap", (2,)), [0.5, 0.5])
    np.testing.assert_array_equal(read({"gap": np.array([1.0, np.inf])}, "gap", (2,)), [1.0, np.nan])


def test_reading_gives_a_copy():
    given = np.array([1.0, 2.0])
    read({"gap": given}, "gap", (2,))[0] = 9.0
    assert given.tolist() == [1.0, 2.0]


def test_standard_names_are_explained():
    assert {"progress", "epoch", "lr", "gap", "gap_error", "valid_loss"} <= set(STANDARD)
    assert all(STANDARD.values())
