"""Several targets on the command line: which are meant, and the answers and figures of their models."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from temperance.cli.several import measured, targets_of, text
from temperance.deployment.several import write_several


@pytest.fixture(scope="session")
def both(classes, values, tmp_path_factory) -> Path:
    """The bundles of two models of the same columns in one folder."""
    folder = tmp_path_factory.mktemp("both") / "bundle"
    write_several(folder, [("1_answer", "answer", classes.folder), ("2_answer", "answer", values.folder)])
    return folder


def test_targets_are_named_one_by_one_or_in_a_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b,"c,d"\n1,2,3\n4,5,6\n')
    source = str(tmp_path / "t.csv")
    assert targets_of(["a", "b"], source, "auto") == ["a", "b"]
    assert targets_of(["a, b"], source, "auto") == ["a", "b"]
    assert targets_of(["c,d"], source, "auto") == ["c,d"]
    assert targets_of(["a"], source, "auto") == ["a"]
    assert targets_of(None, source, "auto") == []


def test_predictions_stand_beside_one_another(both, classes, values, temperance) -> None:
    run = temperance("predict", str(both), str(classes.table))
    assert run.status == 0
    rows = list(csv.DictReader(io.StringIO(run.out)))
    assert next(iter(rows[0])) == "answer_prediction"
    assert "answer_low" in rows[0]
    assert len(rows) == 240


def test_evaluate_tells_each_and_all(both, classes, temperance) -> None:
    run = temperance("evaluate", str(both), str(classes.table))
    assert run.status != 0
    assert "answer" in run.err


def test_other_commands_name_the_models_inside(both, temperance) -> None:
    run = temperance("retrain", str(both), str(both), "--target", "answer")
    assert run.status != 0
    assert "Name one" in run.err
    assert "1_answer" in run.err


def test_the_verdict_tells_what_is_missing(tmp_path: Path) -> None:
    measure = {"name": "rmse", "value": 1.5, "low": 1.0, "high": 2.0, "n": 40, "better": "lower"}
    document = {
        "status": "interrupted", "bundle": "bundle", "together": {},
        "outputs": [
            {"target": "heat", "status": "complete", "task": "regression", "winner": "boosting",
             "metric": {"name": "rmse"}, "test": {"rmse": measure}, "fix_before_use": 2, "folder": "1_heat"},
            {"target": "cool", "status": "waiting", "folder": "2_cool"},
        ],
    }  # fmt: skip
    said = text(tmp_path, document, seconds=70.0)
    assert "heat: boosting." in said
    assert "Fix before use: 2" in said
    assert "cool: not begun." in said
    assert "temperance study --resume" in said
    assert "All targets together" not in said


def test_evaluate_measures_all_on_the_same_rows(classes, temperance, tmp_path: Path) -> None:
    write_several(tmp_path / "both", [("1_answer", "answer", classes.folder), ("2_again", "answer", classes.folder)])
    found = temperance("evaluate", str(tmp_path / "both"), str(classes.table), "--json").json
    alone = found["outputs"]["answer"]["measurements"]["accuracy"]["value"]
    assert found["together"]["subset_accuracy"]["value"] == pytest.approx(alone)
    assert found["together"]["subset_accuracy"]["n"] == 240
    said = temperance("evaluate", str(tmp_path / "both"), str(classes.table)).out
    assert "All targets together:" in said
    assert "All answers are right for" in said


def test_as_many_rows_are_not_the_same_rows() -> None:
    figures, rows = SimpleNamespace(n=3), np.array([0, 1, 2])
    for other in (np.array([1, 2, 3]), None):
        found, said = measured([("a", None, figures, rows), ("b", None, figures, other)])
        assert found == {}
        assert said == ["No figure of all targets together: they are known in different rows (a: 3, b: 3)."]


@pytest.mark.slow
def test_gate_asks_all_models_and_names_those_that_fail(classes, temperance, tmp_path: Path) -> None:
    write_several(tmp_path / "both", [("1_a", "answer", classes.folder), ("2_b", "answer", classes.folder)])
    common = (str(tmp_path / "both"), str(classes.table), "--json", "--out", str(tmp_path / "out"), "--by", "point")
    found = temperance("gate", *common, "--require", "accuracy>=0.01")
    assert found.status == 0, found.err
    assert found.json["met"] is True
    assert (tmp_path / "out" / "2_b" / "gate.json").is_file()
    failed = temperance("gate", *common, "--require", "accuracy>=1.01")
    assert failed.status == 1
    assert failed.json["outputs"]["answer"]["met"] is False


def test_shuffled_rows_are_the_same_test(classes, values, temperance, tmp_path: Path) -> None:
    head, *lines = classes.table.read_text().splitlines()
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text("\n".join([head, *lines[::-1]]) + "\n")
    options = ("--require", "accuracy>=0.01", "--by", "point", "--uses", str(tmp_path / "uses.json"), "--once")
    assert temperance("gate", str(classes.folder), str(classes.table), *options).status == 0
    answers = tmp_path / "answers.csv"
    temperance("predict", str(classes.folder), str(shuffled), "--out", str(answers))
    again = temperance("gate", str(answers), str(shuffled), "--target", "answer", *options)
    assert again.status == 2
    assert "opened once before" in again.err
