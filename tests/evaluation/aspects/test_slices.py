import numpy as np
import pytest

from temperance.evaluation.aspects.slices import Slices
from temperance.records.table import Table


def test_a_planted_weakness_is_found_and_said(binary, make) -> None:
    table, model = binary
    bad = table.rows.categorical[:, 0] == 2
    target = np.where(bad, 1 - table.target, table.target)
    case = make.case((Table(table.schema, table.rows, target), model))
    reading = Slices().measure(case)
    assert "city is Ulm" in reading.sentences[0]
    assert reading["accuracy/worst_slice"].n == bad.sum()
    assert "picked on these rows" in reading["accuracy/worst_slice"].convention
    loss = -np.log(np.clip(case.outcome.prediction[np.arange(1000), target], 1e-7, None))
    assert reading["cvar_20"].value == pytest.approx(np.sort(loss)[-200:].mean())


def test_few_rows_are_too_few(binary, make) -> None:
    reading = Slices().measure(make.case(binary).but(index=np.arange(40)))
    assert reading.details["too_small"] > 0
    assert any("too few rows to tell" in text for text in reading.sentences)
    assert reading.details["worse"] == 0
