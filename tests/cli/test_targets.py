"""``temperance export --target`` as its user runs it."""

import json
import shutil

import numpy as np
import pytest

from temperance.cli import targets
from temperance.data import read
from temperance.deployment import load
from temperance.deployment.manifest import write_manifest
from temperance.deployment.write import TRAINING_ROWS
from temperance.records.errors import SettingError
from temperance.records.row_marks import Known, row_marks


@pytest.mark.parametrize(("text", "value"), [("0.5%", 0.005), ("0.005", 0.005), ("2 %", 0.02), ("0", 0.0), ("1", 1.0)])
def test_shares_are_read(text, value):
    assert targets.share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "half", "-1%", "200%", "5"])
def test_what_is_no_share_is_named(text):
    with pytest.raises(SettingError, match="--max-drop"):
        targets.share(text)


def test_limits_are_read():
    limits = targets.limits_of("5ms", "2kB")
    assert (limits.latency_ms, limits.bytes) == (5.0, 2000.0)
    assert targets.limits_of(None, None).bytes is None


@pytest.mark.parametrize("target", ["onnx", "cpu"])
def test_a_bundle_is_exported_and_a_table_told(temperance, classes, tmp_path, target):
    done = temperance("export", classes.folder, "--target", target, "--data", classes.table, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    assert "as it is" in done.out
    assert "ships" in done.out
    assert "no large arrays" in done.out
    assert "240 rows" in done.out
    assert load(tmp_path / "out").classes == load(classes.folder).classes


def test_json_holds_the_table(temperance, classes, tmp_path):
    out = tmp_path / "out"
    done = temperance("export", classes.folder, "--target", "edge", "--data", classes.table, "--out", out, "--json")
    assert done.json["chosen"] == "as it is"
    assert done.json["edge"]["numpy"]["torch"] is False
    assert {one["name"] for one in done.json["candidates"]} > {"int8 weights", "int8 static"}
    assert json.loads((out / "export.json").read_text())["target"] == "edge"


def test_a_torch_program_is_written(temperance, classes, tmp_path):
    done = temperance("export", classes.folder, "--target", "torch", "--out", tmp_path / "p")
    assert done.status == 0, done.err
    assert (tmp_path / "p" / "model.pt2").exists()
    assert "model.pt2 has" in done.out


def test_a_bundle_is_packed_for_mlflow_and_for_a_container(temperance, classes, tmp_path):
    for target, file in (("mlflow", "MLmodel"), ("container", "Containerfile")):
        done = temperance("export", classes.folder, "--target", target, "--out", tmp_path / target)
        assert done.status == 0, done.err
        assert (tmp_path / target / file).exists()
    refused = temperance("export", classes.folder, "--target", "mlflow", "--data", classes.table)
    assert (refused.status, "as it is" in refused.err) == (2, True)


def test_what_does_not_go_together_is_refused(temperance, classes, tmp_path):
    for words, said in {
        ("--target", "phone"): "--target got 'phone'",
        ("--target", "cpu", "--trial", "t001"): "--trial with a bundle",
        ("--target", "cpu", "--max-drop", "much"): "--max-drop got 'much'",
        ("--target", "cpu", "--max-size", "small"): "--max-size got",
        ("--target", "edge", "--max-size", "1B"): "o form of the model may ship",
        ("--target", "cpu", "--to", "mlflow"): "together",
        ("--trial", "t001", "--max-size", "1MB"): "without --target",
    }.items():
        done = temperance("export", classes.folder, *words, "--out", tmp_path / "out")
        assert done.status == 2
        assert said in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("learned", [100, 240])
def test_rows_that_the_model_learned_from_judge_no_form(temperance, classes, tmp_path, learned):
    folder = tmp_path / "bundle"
    shutil.copytree(classes.folder, folder)
    bundle = load(folder)
    table = read(classes.table, target="answer", schema=bundle.schema).table
    known = Known(table.rows.take(slice(0, learned)), table.target[:learned])
    marks = row_marks(bundle.schema, learned=known, tested=None, salt=b"0123456789")
    np.savez(folder / TRAINING_ROWS, **marks.arrays())
    write_manifest(folder)
    done = temperance("export", folder, "--target", "cpu", "--data", classes.table, "--out", tmp_path / "out")
    if learned == 240:
        assert done.status == 2
        assert "only rows that the model learned from" in done.err
        assert not (tmp_path / "out").exists()
        return
    assert done.status == 0, done.err
    assert "measured on 140 rows" in done.out
    assert "100 of 240 rows are rows that the model learned from: they were left out." in done.out
