import numpy as np
import pytest

from temperance.evaluation.aspects.selective import Selective, area, best_area, coverage_at, generalized, levelled

TOY = np.array([0.0, 0.0, 1.0, 0.0, 1.0])  # errors by falling confidence .95 .85 .8 .65 .55


def test_toy_by_hand() -> None:
    assert area(TOY) == pytest.approx(np.mean([0, 0, 1 / 3, 1 / 4, 2 / 5]))
    assert area(TOY) == pytest.approx(0.196667, abs=1e-6)
    assert best_area(TOY) == pytest.approx(np.mean([0, 0, 0, 1 / 4, 2 / 5]))
    assert generalized(TOY) == pytest.approx(np.mean([0, 0, 1, 1, 2]) / 5)
    assert coverage_at(TOY, 0.0) == pytest.approx(0.4)
    assert coverage_at(TOY, 0.3) == pytest.approx(0.8)
    assert coverage_at(np.array([1.0, 1.0]), 0.1) == 0.0
    assert levelled(np.array([0.0, 1.0, 1.0]), np.array([0.9, 0.9, 0.5])).tolist() == [0.5, 0.5, 1.0]


def test_table_of_a_real_case(binary, make) -> None:
    reading = Selective().measure(make.case(binary))
    rows = reading.details["table"]
    errors = [row["error"] for row in rows]
    assert errors == sorted(errors, reverse=True)
    assert all(row["low"] <= row["error"] <= row["high"] for row in rows)
    assert [row["n"] for row in rows] == [1000, 950, 900, 800, 700, 500]
    assert reading["eaurc"].value == pytest.approx(
        reading["aurc"].value - best_area(1 - make.case(binary).outcome.sure)
    )
    assert reading["error_at_100"].value == pytest.approx(1 - make.case(binary).outcome.correct.mean())
    assert "Hand the least certain 10 of 100" in reading.sentences[0]


def test_values_state_no_certainty(regression, make) -> None:
    assert "certainty" in Selective().measure(make.case(regression)).not_done[0][1]
