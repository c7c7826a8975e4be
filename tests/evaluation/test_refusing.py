import numpy as np
import pytest
from tests.evaluation.aspects.conftest import subject_of

from temperance.evaluation.refusing import Refusing
from temperance.evaluation.vetting import vet
from temperance.records.errors import DataError, RequestError


class Picky:
    """Fails on a batch with any missing number."""

    def __init__(self, model, error=DataError):
        self.schema, self.model, self.error = model.schema, model, error

    def predict(self, rows):
        if np.isnan(rows.numeric).any():
            raise self.error("NaN is not taken")
        return self.model.function(rows)


def test_only_rows_that_fail_have_no_answer(binary) -> None:
    table, model = binary
    numeric = table.rows.numeric.copy()
    numeric[[3, 500, 999], 0] = np.nan
    one = Refusing(Picky(model))
    found = one.predict(table.rows._replace(numeric=numeric))
    assert np.flatnonzero(np.isnan(found).any(axis=1)).tolist() == [3, 500, 999]
    assert one.refused == 3
    assert "On 3 damaged rows the model fails (NaN is not taken)" in one.sentence()
    assert Refusing(model).sentence() == ""
    with pytest.raises(RequestError, match="NaN"):
        Refusing(Picky(model, RequestError)).predict(table.rows._replace(numeric=numeric))


def test_values(regression) -> None:
    table, model = regression
    numeric = table.rows.numeric.copy()
    numeric[5, 1] = np.nan
    assert np.flatnonzero(np.isnan(Refusing(Picky(model)).predict(table.rows._replace(numeric=numeric)))).tolist() == [
        5
    ]


def test_rows_that_lack_the_same_cells_are_not_asked_again(binary) -> None:
    table, model = binary
    asked = []

    class Counting(Picky):
        def predict(self, rows):
            asked.append(rows.size)
            return super().predict(rows)

    numeric = table.rows.numeric.copy()
    numeric[::2, 1] = np.nan
    one = Refusing(Counting(model))
    found = one.predict(table.rows._replace(numeric=numeric))
    assert np.isnan(found[::2]).all()
    assert np.isfinite(found[1::2]).all()
    assert one.refused == 500
    assert len(asked) < 30


def test_a_vetting_goes_on_and_says_it(binary) -> None:
    table, model = binary
    few = table.take(np.arange(200))
    picky = vet(subject_of(few, Picky(model), kind="sklearn"), few)
    assert any("damaged rows the model fails" in text for text in picky.sentences())
    assert picky.figures["robustness"].value < vet(subject_of(few, model), few).figures["robustness"].value
