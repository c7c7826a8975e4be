import json

import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.prediction import observe
from temperance.evaluation.slicing import Slice, _called, slices, worst
from temperance.records.measurement import Measurement
from temperance.records.schema import Column, Schema


def test_a_planted_weakness_is_found(binary):
    table, model = binary
    o = observe(model, table)
    kiel = table.rows.categorical[:, 0] == 1
    turned = np.where((kiel & (np.arange(1000) % 2 == 0))[:, None], o.prediction[:, ::-1], o.prediction)
    weak = Outcome(turned, o.target, "binary")
    found = slices(table, np.arange(1000), weak)
    top = worst(found)
    assert (top.column, top.value) == ("city", "Kiel")
    assert top.n == kiel.sum()
    assert top.measurement.value == pytest.approx(weak.correct[kiel].mean())
    gap = weak.correct[kiel].mean() - weak.correct[~kiel].mean()
    assert top.difference.value == pytest.approx(gap)
    assert top.difference.low < gap < top.difference.high < 0
    json.dumps([s.to_dict() for s in found], allow_nan=False)


def test_every_row_is_in_one_slice_of_each_column(binary):
    table, model = binary
    found = slices(table, np.arange(1000), observe(model, table))
    for name in ("x0", "x3", "city", "y"):
        assert sum(s.n for s in found if s.column == name) == 1000
    assert len([s for s in found if s.column == "x0"]) == 4


def test_too_few_rows_say_nothing(binary):
    table, model = binary
    index = np.arange(60)
    found = slices(table, index, observe(model, table, index))
    small = [s for s in found if s.n < 30]
    assert small
    assert all(s.state == "too_small" and s.p == 1.0 for s in small)
    assert worst(()) is None


def test_missing_values_and_few_values_are_slices(binary):
    table, model = binary
    x, code = table.rows.numeric.copy(), table.rows.categorical.copy()
    x[:100, 0], x[:, 2], code[:50, 0], code[50:90, 0] = np.nan, np.arange(1000) % 3, -1, -2
    changed = type(table)(table.schema, table.rows._replace(numeric=x, categorical=code), table.target)
    found = {(s.column, s.value): s.n for s in slices(changed, np.arange(1000), observe(model, changed))}
    assert found["x0", "(missing)"] == 100
    assert found["x2", "2"] == 333
    assert found["city", "(missing)"] == 50
    assert found["city", "(unseen)"] == 40


def test_regression_uses_the_mean_error(regression):
    table, model = regression
    o = observe(model, table)
    far = Outcome(o.prediction + 3 * (table.rows.numeric[:, 2] > 0.7), o.target, "regression")
    top = worst(slices(table, np.arange(600), far))
    assert top.column == "x2"
    assert top.measurement.name == "mae"
    assert top.difference.value > 1
    assert top.difference.low > 0


def test_groups_make_claims_harder(binary):
    table, model = binary
    o = observe(model, table)
    lone = slices(table, np.arange(1000), o)
    grouped = slices(table, np.arange(1000), Outcome(o.prediction, o.target, "binary", groups=np.arange(1000) // 100))
    widths = [
        np.mean([s.difference.high - s.difference.low for s in part if s.state != "too_small"])
        for part in (lone, grouped)
    ]
    assert np.isfinite(widths).all()
    assert {s.column for s in grouped} == {s.column for s in lone}


def test_a_fair_model_is_seldom_accused(binary):
    """With no slice truly worse, at most about one data set in ten shows any."""
    table, _ = binary
    alarms = 0
    for seed in range(60):
        y = np.zeros(1000, dtype=np.int64)
        p = np.where(np.random.default_rng(seed).random((1000, 1)) < 0.2, [[0.1, 0.9]], [[0.9, 0.1]])
        alarms += worst(slices(table, np.arange(1000), Outcome(p, y, "binary"))) is not None
    assert alarms <= 12


def test_many_rows_are_sampled(binary, monkeypatch):
    table, model = binary
    monkeypatch.setattr("temperance.evaluation.slicing._ROWS", 400)
    found = slices(table, np.arange(1000), observe(model, table))
    assert sum(s.n for s in found if s.column == "city") == 400


def judged(p, ends):
    """One slice with this p and this interval of its difference, as it is called."""
    difference = Measurement("difference/accuracy", sum(ends) / 2, *ends, 100, better="higher")
    made = Slice("plan", "pro", 100, Measurement("accuracy", 0.5, None, None, 100), difference, p, "same")
    return _called(made, 1.0).state


def test_a_state_needs_the_p_and_the_interval():
    assert judged(1e-44, (0.1, 0.3)) == "better"
    assert judged(1e-44, (-0.3, -0.1)) == "worse"
    assert judged(0.06, (-0.3, 0.01)) == "same"
    assert judged(0.6, (-0.3, -0.1)) == "same"


def test_answers_are_no_groups_and_are_corrected_by_themselves(binary):
    table, model = binary
    found = slices(table, np.arange(1000), observe(model, table))
    assert {s.column for s in found if s.kind == "answer"} == {"y"}
    assert "y" not in {s.column for s in found if s.kind == "group"}
    assert found[0].to_dict()["kind"] in ("answer", "group")


def test_a_date_is_sliced_by_dates(regression):
    table, model = regression
    days = table.rows.numeric.copy()
    days[:, 2] = np.arange(600) + 19_000
    column = Column("d_days", "numeric", "d", "days")
    schema = Schema((*table.schema.columns[:2], column), table.schema.target)
    changed = type(table)(schema, table.rows._replace(numeric=days), table.target)
    model.schema = schema
    found = {s.value for s in slices(changed, np.arange(600), observe(model, changed)) if s.column == "d_days"}
    assert "2022-01-08 to 2022-06-06" in found
