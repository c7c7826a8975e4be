from __future__ import annotations

import copy

import pytest

from temperance.governance import DatasetCard

SECTIONS = (
    "1. Motivation",
    "2. Composition",
    "3. Collection process",
    "4. Preprocessing",
    "5. Uses",
    "6. Distribution",
    "7. Maint",
)


def test_seven_sections_with_numbers_and_blanks(study):
    card = DatasetCard().render(study)
    places = [card.index(f"## {name}") for name in SECTIONS]
    assert places == sorted(places)
    for figure in ("4,200", "75.0 %", "17 to 90", "`customer_id`", "3 rows left out: no answer", "column `k` left out"):
        assert figure in card, figure
    assert card.count("Owner, please answer") == 7


def test_licence_verdicts_are_shown(study):
    card = DatasetCard().render(study)
    assert "Declared licence: `CC-BY-4.0`" in card
    assert "**allowed with duties**" in card
    assert "not legal advice" in card


@pytest.mark.parametrize(
    ("declared", "expected"),
    [("CC-BY-4.0", "cc-by-4.0"), (None, "unknown"), ("mine", "other"), ("MIT AND CC0-1.0", "other")],
)
def test_licence_in_front_matter(study, declared, expected):
    yaml = pytest.importorskip("yaml")
    study["data"]["licence"] = declared
    head = yaml.safe_load(DatasetCard().render(study).split("---")[1])
    assert head["license"] == expected
    assert head["size_categories"] == ["1K<n<10K"]
    assert head["task_categories"] == ["tabular-classification"]


def test_undeclared_licence_is_a_question(study):
    study["data"]["licence"] = None
    card = DatasetCard().render(study)
    assert "No licence was declared" in card
    assert "**unknown**" in card
    assert card.count("Owner, please answer") == 8


def test_a_licence_with_its_source_and_what_others_say(study):
    yaml = pytest.importorskip("yaml")
    other = {"expression": "CC0-1.0", "source": "README.md"}
    study["data"]["licence"] = {"expression": "MIT", "source": "LICENSE", "others": [other]}
    card = DatasetCard().render(study)
    assert "Declared licence: `MIT` (LICENSE)." in card
    assert "README.md says `CC0-1.0` instead" in card
    assert yaml.safe_load(card.split("---")[1])["license"] == "mit"


def test_groups_stand_with_the_rows_that_are_missing(study):
    needs = "To know a rate of 90 % within 5 points (95 % sure) takes 139 rows of a group."
    evidence = {
        "examples": [{"column": "city", "groups": {"Bonn": 3000, "Kiel": 12}}], "rows_needed": 139,
        "rows_needed_for": needs,
    }  # fmt: skip
    thin = {"examples": [{"groups": {"sex": "f", "age": "70 and more"}, "rows": 2, "expected": 40.0}]}
    study["findings"] += [
        {"check": "representativeness", "subject": name, "state": "look_at_this", "title": "x", "evidence": said}
        for name, said in (("groups", evidence), ("combinations", thin))
    ]  # fmt: skip
    card = DatasetCard().render(study)
    assert "| `city` | `Kiel` | 12 | 127 |" in card
    assert needs in card
    assert "`sex` = `f` and `age` = `70 and more` | 2 | 40" in card


@pytest.mark.parametrize("gone", ["data", "roles", "findings"])
def test_a_study_without_a_part_still_has_a_card(study, gone):
    less = copy.deepcopy(study)
    less[gone] = None
    assert "## 7. Maintenance" in DatasetCard().render(less)


def test_regression_and_images(study):
    study["data"].update(task="regression", classes=[])
    study["data"]["schema"]["kind"] = "images"
    assert "image-regression" in DatasetCard().render(study)


def test_days_are_dates_and_texts_count_words(study):
    made = copy.deepcopy(study)
    made["data"]["profile"]["columns"] = [
        {"name": "when", "kind": "numeric", "part": "days", "missing": 0, "unique": 9, "low": 19724.0, "high": 20087.0,
         "mean": 19900.057},
        {"name": "note", "kind": "text", "missing": 0, "unique": 9, "low": 5.0, "high": 13.0, "mean": 9.125},
    ]  # fmt: skip
    card = DatasetCard().render(made)
    assert "2024-01-02 to 2024-12-30, mean 2024-06-26" in card
    assert "5.000 to 13.000 words" in card
