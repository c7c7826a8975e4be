from __future__ import annotations

import copy
from typing import Any

import pytest

from temperance.governance import ModelCard


def test_every_figure_of_the_winner_is_there(study):
    card = ModelCard().render(study)
    assert "0.912 (0.892 to 0.932, n = 400)" in card
    assert "0.750" in card
    assert "Recipe(Dropout(0.1))" in card
    assert "12,345" in card
    assert "`city` = `Kiel`" in card
    assert "Too few rows to say anything of 1 further group: `city` (1)." in card
    assert "Found 3 of 3." in card
    assert "Tested on one file only." in card
    assert "Srivastava" in card
    assert card.count("Owner, please answer") == 3


def test_front_matter_follows_the_hub(study):
    yaml = pytest.importorskip("yaml")
    head = yaml.safe_load(ModelCard(licence="apache-2.0").render(study).split("---")[1])
    assert head["license"] == "apache-2.0"
    assert head["pipeline_tag"] == "tabular-classification"
    result = head["model-index"][0]["results"][0]
    assert result["metrics"][0] == {"type": "accuracy", "value": 0.912, "name": "accuracy", "verified": False}
    assert result["dataset"] == {"name": "churn", "type": "churn", "split": "test", "revision": "ab" * 32}
    assert "license_name" not in head


def test_findings_to_act_on_come_first(study):
    card = ModelCard().render(study)
    assert card.index("Look at this") < card.index("No problem found by this test")


def test_names_cannot_inject(study):
    study["data"]["target"] = "<script>alert(1)</script>"
    study["data"]["name"] = "# x\n## y"
    card = ModelCard().render(study)
    assert "\n## y" not in card
    body = card.split("---", 2)[2]
    assert "<script>" not in body.replace("`<script>alert(1)</script>`", "")


@pytest.mark.parametrize("gone", ["winner", "trials", "findings", "data", "roles", "budget", "versions", "limits"])
def test_a_study_without_a_part_still_has_a_card(study, gone):
    less = copy.deepcopy(study)
    less[gone] = None
    card = ModelCard().render(less)
    assert card.startswith("---\n")
    assert "None" not in card.replace("None.", "")


def test_an_interrupted_study_says_so(study):
    study["status"] = "interrupted"
    assert "interrupted" in ModelCard().render(study)


def test_written_file(study, tmp_path):
    path = ModelCard().write(study, tmp_path)
    assert path.name == "model_card.md"
    assert path.read_text(encoding="utf-8") == ModelCard().render(study)


def test_what_is_not_stated_is_said_so_and_the_hubs_reader_takes_it(study):
    hub = pytest.importorskip("huggingface_hub")
    text = ModelCard().render(study)
    data = hub.ModelCard(text).data
    assert (data.license, data.license_name) == ("other", "not-stated")
    accuracy = next(r for r in data.eval_results if r.metric_type == "accuracy")
    assert (accuracy.metric_value, accuracy.dataset_split, accuracy.dataset_revision) == (0.912, "test", "ab" * 32)


def test_groups_with_too_few_rows_are_one_line(study: dict[str, Any]) -> None:
    small = [{"column": f"c{i % 10}", "value": str(i), "n": 3, "state": "too_small"} for i in range(24)]
    study["winner"]["slices"] = small
    card = ModelCard().render(study)
    line = next(one for one in card.splitlines() if "24 further groups" in one)
    assert line.endswith("`c6` (2), `c7` (2) and 2 more columns.")
    assert "No group was found to do worse" in card
    assert card.count("further groups") == 1
