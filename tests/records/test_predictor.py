import numpy as np

from temperance.records.predictor import Predictor
from temperance.records.schema import Column, Rows, Schema, Target


class Half:
    schema = Schema((Column("x", "numeric"),), Target("y", "binary", ("a", "b")))

    def predict(self, rows: Rows) -> np.ndarray:
        return np.full((rows.size, 2), 0.5)


def test_anything_with_a_schema_that_predicts_is_one() -> None:
    one = Half()
    assert isinstance(one, Predictor)
    assert one.predict(Rows(np.zeros((3, 1)), np.zeros((3, 0), dtype=np.int32))).shape == (3, 2)


def test_other_things_are_not() -> None:
    assert not isinstance(object(), Predictor)
