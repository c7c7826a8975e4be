import numpy as np
import pytest

from temperance.deployment.parity import gate, stress_rows
from temperance.records.errors import BundleError
from temperance.records.schema import MISSING, UNSEEN, Rows, Schema, Target


def test_stress_rows_hold_what_a_model_meets_rarely(kit, binary):
    rows, _ = kit.table_of(binary)
    stress = stress_rows(rows, binary)
    assert np.isnan(stress.numeric).all(1).any()
    assert (stress.categorical == UNSEEN).all(1).any()
    assert (stress.categorical == MISSING).any()
    assert {0.0, 1e6, -1e30} <= set(stress.numeric.ravel())
    again = stress_rows(rows, binary)
    assert np.array_equal(stress.numeric, again.numeric, equal_nan=True)
    assert not np.array_equal(stress.numeric, stress_rows(rows, binary, seed=1).numeric, equal_nan=True)


def test_stress_rows_work_from_one_row_and_leave_it_alone(kit, binary):
    rows = kit.table_of(binary)[0].take(slice(0, 1))
    before = rows.numeric.copy()
    assert stress_rows(rows, binary).size > 20
    assert np.array_equal(rows.numeric, before, equal_nan=True)


def test_stress_images_are_noise():
    schema = Schema((), Target("y", "binary", ("a", "b")), "images", (4, 5, 3))
    real = Rows(np.empty((2, 0)), np.empty((2, 0), np.int32), np.full((2, 4, 5, 3), 7, np.uint8))
    images = stress_rows(real, schema).images
    assert images.shape == (8, 4, 5, 3)
    assert not (images == 7).all(axis=(1, 2, 3)).any()


class Shifted:
    def __init__(self, model, shift):
        self.model, self.schema, self.shift = model, model.schema, shift

    def predict(self, rows):
        return self.model.predict(rows) + self.shift(rows)


def test_the_gate_finds_one_row_in_many(linear, binary):
    unlucky = linear.rows.numeric[0]

    def shift(rows):
        return 1e-4 * (rows.numeric == unlucky).all(1)[:, None]

    assert gate(linear, Shifted(linear, lambda rows: 0.0), linear.rows, binary, scale=0.0) == 0.0
    if np.isfinite(unlucky).all():
        with pytest.raises(BundleError, match=r"real rows differs by 0\.0001"):
            gate(linear, Shifted(linear, shift), linear.rows, binary, scale=0.0)
    with pytest.raises(BundleError, match="one row"):
        gate(linear, Shifted(linear, lambda r: 1.0 * (r.size == 1)), linear.rows, binary, scale=0.0)
