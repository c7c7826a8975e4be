import time

import numpy as np
import pytest

from temperance.evaluation.examples import examples
from temperance.evaluation.influence import Asked

GROUPS = [("x0",), ("x1",), ("x2",), ("x3",), ("city",)]


def test_three_rows_with_the_columns_that_moved_them(binary):
    table, model = binary
    rows = np.arange(200, 400)
    asked = Asked(model, table, rows)
    found, left = examples(asked, table.schema, rows, GROUPS)
    assert left == ()
    assert [e.kind for e in found] == ["sure", "unsure", "mistake"]
    sure, unsure, mistake = found
    assert sure.truth == sure.predicted
    assert mistake.truth != mistake.predicted
    assert 0.5 <= unsure.chance < 0.55
    assert mistake.row in rows
    worst = rows[np.argmax(np.where(asked.base_wrong == 1, asked.base, -1))]
    assert mistake.row == worst
    assert {tuple(r["columns"]) for e in found for r in e.reasons} <= {("x0",), ("x1",)}


def test_the_shift_is_the_answer_minus_its_mean_over_other_values(regression):
    table, model = regression
    rows = np.arange(600)
    found, _ = examples(Asked(model, table, rows), table.schema, rows, [("x0",), ("x1",)])
    others = np.random.default_rng([0, 0xE4A]).choice(600, size=50, replace=False)
    x = table.rows.numeric
    for e in found:
        shift = {tuple(r["columns"]): r["shift"] for r in e.reasons}
        if ("x0",) in shift:
            assert shift["x0",] == pytest.approx(x[e.row, 0] - x[others, 0].mean())
    assert [e.kind for e in found] == ["typical", "highest", "farthest"]
    assert all(e.chance is None for e in found)


def test_a_perfect_model_has_no_mistake_to_show(binary):
    table, model = binary
    exact = type(table)(table.schema, table.rows, model.predict(table.rows).argmax(axis=1))
    found, _ = examples(Asked(model, exact, np.arange(100)), table.schema, np.arange(100), GROUPS)
    assert [e.kind for e in found] == ["sure", "unsure"]


def test_no_time_is_said(binary):
    table, model = binary
    asked = Asked(model, table, np.arange(100))
    found, left = examples(asked, table.schema, np.arange(100), GROUPS, deadline=time.perf_counter())
    assert found == ()
    assert left == (("reasons of example rows", "no time left"),)
