import json

import numpy as np
import polars as pl
import pytest

from temperance.cli.commands.evaluate import _unweighed


def test_each_figure_has_an_interval_and_a_sentence(temperance, classes, tmp_path) -> None:
    done = temperance("evaluate", classes.folder, classes.table, "--out", tmp_path / "e")
    assert done.status == 0, done.err
    assert "of 100 rows (between" in done.out
    value = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    accuracy = value["measurements"]["accuracy"]
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert value["n"] == 240
    assert "## Figures" in (tmp_path / "e" / "evaluation.md").read_text()
    rows = pl.read_parquet(tmp_path / "e" / "rows.parquet")
    assert accuracy["value"] == pytest.approx((rows["truth"] == rows["answer"]).mean())
    assert value["paths"]["rows"].endswith("rows.parquet")


def test_numbers(temperance, values) -> None:
    done = temperance("evaluate", values.folder, values.table, "--json")
    assert done.status == 0, done.err
    assert {"rmse", "mae", "r2"} <= set(done.json["measurements"])


def test_rows_without_answers_are_refused(temperance, classes, tmp_path) -> None:
    blind = tmp_path / "blind.csv"
    blind.write_text("size,weight,colour\n1,2,red\n")
    done = temperance("evaluate", classes.folder, blind)
    assert done.status == 2
    assert "answer" in done.err


def test_an_unknown_suite_is_refused(temperance, classes) -> None:
    assert temperance("evaluate", classes.folder, classes.table, "--suite", "huge").status == 2


def test_weights_of_the_study_are_not_left_out_without_a_word() -> None:
    assert "weighed its rows by 'w'" in _unweighed("w", None)[0]
    assert _unweighed("w", "w") == _unweighed(None, None) == _unweighed(None, "w") == []


def test_an_older_bundle_says_that_it_cannot_know_its_rows(temperance, classes) -> None:
    done = temperance("evaluate", classes.folder, classes.table)
    assert "Whether the model learned from these rows is not known" in done.out


def test_the_bundles_own_predictions_give_the_same_figures(temperance, classes, tmp_path) -> None:
    assert temperance("predict", classes.folder, classes.table, "--out", tmp_path / "p.csv").status == 0
    whole = temperance("evaluate", classes.folder, classes.table, "--json").json
    found = temperance("evaluate", tmp_path / "p.csv", classes.table, "--target", "answer", "--json")
    assert found.status == 0, found.err
    for name in ("accuracy", "log_loss", "ece"):
        assert found.json["measurements"][name]["value"] == pytest.approx(
            whole["measurements"][name]["value"], abs=1e-5
        )
    assert any("not possible from predictions" in item["why"] for item in found.json["left_out"])


@pytest.mark.slow
def test_requirements_groups_times_and_costs(temperance, classes, tmp_path) -> None:
    lines = classes.table.read_text().splitlines()
    dated = tmp_path / "dated.csv"
    dated.write_text("\n".join([f"{lines[0]},day", *(f"{one},{i}" for i, one in enumerate(lines[1:]))]) + "\n")
    done = temperance(
        "evaluate", classes.folder, dated, "--time", "day", "--group", "colour", "--cost", "no->=yes=5",
        "--require", "accuracy>=0.999999", "--suite", "standard", "--json", "--budget", "60s",
    )  # fmt: skip
    assert done.status == 1, done.err
    assert done.json["requirements"][0]["met"] is False
    assert "time_gap" in done.json["aspects"]["domain_gap"]["measurements"]
    assert len(done.json["aspects"]["domain_gap"]["details"]["by_domain"]) == 2
    assert any("2 values: they are told apart as domains" in note for note in done.json["notes"])
    assert done.json["aspects"]["cost"]["measurements"]["expected_cost"]["value"] >= 0


@pytest.mark.slow
def test_uses_are_counted(temperance, classes, tmp_path) -> None:
    book = tmp_path / "uses.json"
    first = temperance("evaluate", classes.folder, classes.table, "--uses", book)
    again = temperance("evaluate", classes.folder, classes.table, "--uses", book)
    assert "first time that these rows" in first.out
    assert "used as a test once before" in again.out
    assert temperance("evaluate", classes.folder, classes.table, "--once").status == 2


def test_one_aspect_and_what_is_no_model(temperance, classes, tmp_path) -> None:
    done = temperance("evaluate", classes.folder, classes.table, "--aspect", "selective", "--json")
    assert list(done.json["aspects"]) == ["selective"]
    (tmp_path / "m.pkl").write_bytes(b"x")
    refused = temperance("evaluate", tmp_path / "m.pkl", classes.table)
    assert refused.status == 2
    assert "runs whatever code" in refused.err
    assert "Traceback" not in refused.err


def test_a_module_of_code(temperance, classes, tmp_path, monkeypatch) -> None:
    (tmp_path / "mynet_evaluate.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, numeric, categorical):\n"
        "        z = 8 * (numeric[:, :1] + (categorical == 2).float() - 0.5)\n"
        "        return torch.cat([-z, z], dim=1)\n"
        "def model():\n"
        "    return Net()\n"
    )
    monkeypatch.chdir(tmp_path)
    done = temperance("evaluate", "mynet_evaluate:model", classes.table, "--target", "answer", "--json")
    assert done.status == 0, done.err
    assert done.json["subject"]["kind"] == "torch"
    assert 0 <= done.json["measurements"]["accuracy"]["value"] <= 1
    assert any("taken as logits" in text for text in done.json["sentences"])
    assert np.isfinite(done.json["measurements"]["log_loss"]["value"])


def test_attacks_keep_the_rules_of_a_file(temperance, classes, tmp_path) -> None:
    rules = tmp_path / "rules.toml"
    assert temperance("evaluate", classes.folder, classes.table, "--write-rules", rules).status == 0
    rules.write_text(rules.read_text().replace('change = "free"', 'change = "fixed"', 1))
    done = temperance("evaluate", classes.folder, classes.table, "--rules", rules, "--aspect", "adversarial", "--json")
    assert done.status == 0, done.err
    found = done.json["aspects"]["adversarial"]
    assert all("size" not in row["changes"] for row in found["details"]["broken_rows"])
    assert found["details"]["rules"]["from"] == "the owner"
    rules.write_text("[columns.size]\nchange = 'stuck'\n")
    bad = temperance("evaluate", classes.folder, classes.table, "--rules", rules, "--aspect", "adversarial")
    assert bad.status == 2
    assert "free, fixed, up or down" in bad.err
