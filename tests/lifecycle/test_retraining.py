"""A challenger against a champion, end to end and in one process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from temperance.deployment import load
from temperance.lifecycle import NotWorse, retrain
from temperance.records.errors import BudgetError, BundleError, DataError, StudyError


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_drifted_data_promote_the_challenger_and_spare_the_champion(
    linear: Path, tmp_path: Path, made: SimpleNamespace
) -> None:
    before, said = contents(linear), []
    found = retrain(linear, made.table(600, seed=1, flip=True), out=tmp_path / "out", progress=said.append)
    assert found["decision"] == "promote"
    assert found["bundle"] == str(tmp_path / "out" / "bundle")
    assert found["comparison"]["verdict"] == "better"
    assert found["comparison"]["p"] < 0.001
    fresh, old = (found[who]["measurements"]["accuracy"]["value"] for who in ("challenger", "champion"))
    assert fresh > 0.8 > 0.3 > old
    assert contents(linear) == before
    assert said[0]["part"] == "read"
    assert said[-1]["part"] == "test"


def test_the_same_data_have_no_row_left_to_test_on(linear: Path, tmp_path: Path, made: SimpleNamespace) -> None:
    with pytest.raises(DataError, match="600 of 600 rows are rows that the model in use was made from"):
        retrain(linear, made.table(600), target="y", out=tmp_path / "out")


def test_rows_of_the_first_training_are_never_test_rows(linear: Path, tmp_path: Path, made: SimpleNamespace) -> None:
    old, new = made.table(600), made.table(300, seed=5)
    both = {name: [*old[name], *new[name]] for name in old}
    found = retrain(linear, both, target="y", champion_data=old, out=tmp_path / "out")
    assert found["seen"] == {
        "rows": 600, "of": 900, "known": True,
        "how": "the marks of its training rows in the bundle and the data that the model in use was made from",
    }  # fmt: skip
    assert found["roles"]["counts"]["test"] == found["comparison"]["difference"]["n"] == 60
    assert found["roles"]["counts"]["train"] == 840
    assert found["decision"] == "keep"
    assert load(tmp_path / "out" / "bundle").schema.target.name == "y"
    assert any("600 rows" in said for said in found["limits"])


@pytest.mark.slow
def test_group_and_time_are_remembered(tmp_path: Path, made: SimpleNamespace) -> None:
    from temperance.data import read

    rows = made.table(400, seed=3)
    rows["who"] = [f"p{i % 80}" for i in range(400)]
    first = made.make_bundle(tmp_path / "first", made.table(400), [(1.0, made.LINEAR)])
    out = retrain(first, rows, group="who", out=tmp_path / "a")
    assert load(tmp_path / "a" / "bundle").card["details"]["group"] == "who"
    again = retrain(tmp_path / "a" / "bundle", {**rows, "x0": rows["x0"] + 0.01}, out=tmp_path / "b")
    assert "group" in again["roles"]["scheme"]
    assert read(rows, target="y", group="who").table.group is not None
    left = retrain(tmp_path / "a" / "bundle", {**rows, "x0": rows["x0"] + 0.02}, group="", out=tmp_path / "c")
    assert "group" not in left["roles"]["scheme"]
    assert "group" in out["roles"]["scheme"]


def test_the_file_holds_what_is_returned_and_the_documented_keys(
    linear: Path, tmp_path: Path, made: SimpleNamespace
) -> None:
    found = retrain(linear, made.table(600, seed=2), out=tmp_path / "out")
    assert json.loads((tmp_path / "out" / "retrain.json").read_text()) == found
    keys = {"schema", "decision", "sentence", "why", "bundle", "folder", "champion", "challenger", "comparison",
            "changes", "data", "roles", "seen", "strengths", "budget", "seed", "limits", "created",
            "temperance"}  # fmt: skip
    assert set(found) == keys
    assert found["schema"] == 1
    assert set(found["budget"]["spent"]) == {"read", "train", "export", "test", "total"}
    assert found["roles"]["counts"]["test"] == found["comparison"]["difference"]["n"] == 120


@pytest.mark.slow
def test_members_with_a_net_are_trained_again_the_same_way(pair: Path, tmp_path: Path, made: SimpleNamespace) -> None:
    data = made.table(500, seed=3, words=("a", "b", "new"))
    first = retrain(pair, data, out=tmp_path / "one", seed=5)
    second = retrain(pair, data, out=tmp_path / "two", seed=5)
    assert first["challenger"]["version"] == second["challenger"]["version"]
    assert [m["weight"] for m in first["challenger"]["members"]] == [0.5, 0.5]
    assert first["changes"] == [{"column": "c", "what": "It has 1 new category: 'new'."}]
    recipe = json.loads((tmp_path / "one" / "bundle" / "recipe.json").read_text())
    assert recipe["traces"][0], "the controller moved strengths on the new rows"
    assert recipe["parent"] == load(pair).version
    later = made.table(500, seed=4, words=("a", "b", "new"))
    again = retrain(tmp_path / "one" / "bundle", later, out=tmp_path / "three")
    assert again["decision"] == "keep"


def test_a_fresh_model_that_is_not_worse_may_be_promoted(linear: Path, tmp_path: Path, made: SimpleNamespace) -> None:
    found = retrain(linear, made.table(900, seed=4), out=tmp_path / "out", policy=NotWorse(0.5))
    assert found["decision"] == "promote"


def test_regression_is_retrained_with_its_interval(tmp_path: Path, made: SimpleNamespace) -> None:
    def numbers(seed: int, slope: float) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=400)
        return {"x": x, "z": rng.normal(size=400), "y": slope * x + 0.1 * rng.normal(size=400)}

    champion = made.make_bundle(tmp_path / "first", numbers(0, 1.0), [(1.0, made.LINEAR)])
    found = retrain(champion, numbers(1, -2.0), out=tmp_path / "out")
    assert found["decision"] == "promote"
    assert found["comparison"]["metric"] == "rmse"
    assert found["challenger"]["measurements"]["interval_coverage"]["value"] > 0.8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x1": None}, "lacks the column 'x1'"),
        ({"y": ["yes", "no", "maybe"] * 200}, "maybe"),
        ({"y": None}, "no column 'y'"),
    ],
)
def test_data_that_do_not_fit_are_refused(
    linear: Path, tmp_path: Path, change: dict[str, Any], words: str, made: SimpleNamespace
) -> None:
    data = {**made.table(600), **change}
    data = {name: values for name, values in data.items() if values is not None}
    with pytest.raises(DataError, match=words):
        retrain(linear, data, out=tmp_path / "out")


def test_another_target_is_refused(linear: Path, tmp_path: Path, made: SimpleNamespace) -> None:
    with pytest.raises(DataError, match="predicts 'y'"):
        retrain(linear, made.table(600), target="x0", out=tmp_path / "out")


def test_damaged_bundle_is_refused(linear: Path, tmp_path: Path, made: SimpleNamespace) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(linear, broken)
    (broken / "model.onnx").write_bytes((broken / "model.onnx").read_bytes()[:-10])
    with pytest.raises(BundleError, match=r"model\.onnx"):
        retrain(broken, made.table(600), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_budget_too_small_says_the_least(tmp_path: Path, made: SimpleNamespace) -> None:
    slow = made.NET.changed(settings={**made.NET.settings, "epochs": 1e6})
    quick = made.NET.changed(settings={**made.NET.settings, "epochs": 1.0})
    champion = made.make_bundle(tmp_path / "first", made.table(300), [(1.0, quick)])
    recipe = json.loads((champion / "recipe.json").read_text())
    recipe["members"] = [{"weight": 1.0, **slow.to_dict()}]
    (champion / "recipe.json").write_text(json.dumps(recipe))
    from temperance.deployment.manifest import write_manifest

    write_manifest(champion)
    with pytest.raises(BudgetError, match="at least"):
        retrain(champion, made.table(300, seed=6), budget="20s", out=tmp_path / "out")
    with pytest.raises(BudgetError, match="20"):
        retrain(champion, made.table(300, seed=6), budget="3s", out=tmp_path / "out2")


def test_a_taken_folder_and_the_bundle_itself_are_refused(linear: Path, tmp_path: Path, made: SimpleNamespace) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(StudyError, match="holds bundle"):
        retrain(linear, made.table(600), out=tmp_path)
    with pytest.raises(StudyError, match="lies in the bundle"):
        retrain(linear, made.table(600), out=linear / "inside")
