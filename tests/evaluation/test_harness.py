import json
import subprocess
import sys
import time

import numpy as np
import pytest

from temperance import evaluation
from temperance.evaluation import evaluate
from temperance.records.errors import DataError, SettingError


def test_quick_suite_holds_every_part(binary):
    table, model = binary
    index = np.arange(500, 1000)
    start = time.process_time()
    e = evaluate(model, table, index)
    assert time.process_time() - start < 1.0
    assert e.n == 500
    assert e["accuracy"].value == pytest.approx(e.outcome.correct.mean())
    assert e["robustness"] == e.robustness.overall
    assert set(e.losses) == {m.name for m in e.measurements} - {"robustness", "ece_floor"}
    assert all(len(v) == 500 for v in e.losses.values())
    assert e.slices
    assert e.reliability
    assert len(e.abstention) == 5
    assert e.left_out == ()
    hard = e.hardest(count=3)
    assert [h["loss"] for h in hard] == sorted(e.losses["log_loss"])[::-1][:3]
    assert table.target[hard[0]["row"]] == hard[0]["truth"] != hard[0]["predicted"]
    row = json.loads(json.dumps(e.to_dict(), allow_nan=False))
    assert row["measurements"]["log_loss"]["n"] == 500
    assert {"family", "severity", "measurement"} <= set(row["robustness"]["cells"][0])
    assert {"column", "value", "n", "measurement", "difference", "state"} <= set(row["slices"][0])
    assert {"low", "high", "confidence", "accuracy", "n"} <= set(row["reliability"][0])


def test_same_seed_same_numbers(binary):
    table, model = binary
    first, second = (evaluate(model, table, seed=3).to_dict() for _ in "ab")
    first.pop("seconds"), second.pop("seconds")
    assert first == second


def test_regression_measures_its_intervals(regression):
    table, model = regression
    e = evaluate(model, table, suite="standard")
    assert e["interval_coverage"].low < 0.9 < e["interval_coverage"].high
    assert e["interval_width"].value == pytest.approx(1.645)
    assert e.reliability == ()
    assert e.abstention == ()
    assert {f.column for f in e.fragility} == {"x0", "x1", "x2"}
    json.dumps(e.to_dict(), allow_nan=False)


def test_pictures_run(pictures):
    table, model = pictures
    e = evaluate(model, table)
    assert e["robustness"].n == 256
    assert {s.column for s in e.slices} == {"side"}


def test_a_budget_leaves_out_by_name(binary):
    table, model = binary
    e = evaluate(model, table, budget_seconds=0.0)
    assert e.robustness is None
    assert e.left_out == (("robustness", "no time left"),)
    assert e.to_dict()["left_out"] == [{"what": "robustness", "why": "no time left"}]
    assert e["accuracy"].n == 1000
    assert e.fragility == ()
    standard = evaluate(model, table, suite="standard", budget_seconds=0.0)
    assert ("fragility of each column", "no time left") in standard.left_out


def test_a_slow_model_stays_within_its_budget(binary):
    table, model = binary

    def slow(rows):
        time.sleep(0.02)
        return model.function(rows)

    start = time.perf_counter()
    e = evaluate(type(model)(model.schema, slow), table, suite="publish", budget_seconds=0.6)
    assert time.perf_counter() - start < 0.9
    assert e.left_out
    assert len({c.family for c in e.robustness.cells}) >= 2


def test_groups_of_the_table_are_used(binary):
    table, model = binary
    grouped = type(table)(table.schema, table.rows, table.target, group=np.arange(1000) // 5)
    assert "group" in evaluate(model, grouped)["log_loss"].convention


def test_unknown_names_are_refused(binary):
    table, model = binary
    with pytest.raises(SettingError, match="Did you mean 'quick'"):
        evaluate(model, table, suite="quik")
    with pytest.raises(SettingError, match="was not measured"):
        evaluate(model, table, metrics=["brier"], budget_seconds=0.0)["accuracy"]
    with pytest.raises(DataError, match="no rows"):
        evaluate(model, table, np.array([], dtype=int))


def test_public_names_exist():
    assert all(hasattr(evaluation, name) for name in evaluation.__all__)


def test_no_heavy_library_is_loaded():
    code = (
        "import sys, temperance.evaluation;"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'PIL', 'polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
