from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.sections.answer import Answer
from temperance.testing.study_example import study_example


def read(study: Study) -> str:
    """Return the section as it is read: marks removed, white space folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", Answer().render(study)).split())


@pytest.mark.parametrize(
    ("task", "verdict"),
    [
        ("binary", "It is right for 94 of 100 new rows. The true figure is likely between 91 and 96"),
        (
            "regression",
            "Its typical error (RMSE) on new rows is 54.0 points . The true figure is likely between 49.0 and 59.0",
        ),
    ],
)
def test_the_verdict_is_a_plain_sentence(task: str, verdict: str, make_study: Callable[..., Study]) -> None:
    assert verdict.replace(" ", "") in read(make_study(study_example(task))).replace(" ", "")


def test_regression_without_a_unit_uses_the_target(make_study: Callable[..., Study]) -> None:
    document = study_example("regression")
    document["winner"]["test"]["rmse"]["unit"] = ""
    assert "in the unit of progression" in read(make_study(document))


def test_a_fix_stands_above_the_number_and_greys_it(make_study: Callable[..., Study]) -> None:
    document = study_example()
    text = read(make_study(document))
    assert text.index("Fix before use") < text.index("It is right for")
    assert "Do not rely on the number below yet: 1 check asks for a fix first." in text
    assert "Remove the copies from the test rows." in text
    assert 'class="verdict doubted"' in Answer().render(make_study(document))
    document["findings"] = [f for f in document["findings"] if f["state"] != "fix_before_use"]
    assert "Fix before use" not in read(make_study(document))
    assert 'class="verdict"' in Answer().render(make_study(document))


def test_three_things_to_do_and_how_many_more(make_study: Callable[..., Study]) -> None:
    document = study_example()
    looks = [f for f in document["findings"] if f["state"] == "look_at_this"]
    document["findings"] = [*looks, {**looks[0], "id": "again"}]
    text = read(make_study(document))
    assert text.count("Look at this") == 3
    assert "1 more is further down" in text


def test_a_simple_rule_that_is_as_good_is_told_with_its_number(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    assert "clearly better than a simple rule: always the most common class reaches 73.0" in read(make_study(document))
    rule = document["winner"]["simple_test"]["measurements"]["accuracy"]
    rule.update(value=0.93, low=0.9, high=0.95)
    text = read(make_study(document))
    assert "A simple rule is about as good: always the most common class reaches 93.0" in text


def test_reasons_to_suspect_are_true_and_named(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    assert "Why more may be possible" not in read(make_study(document))  # the rule is beaten
    document["winner"]["simple_test"]["measurements"]["accuracy"].update(value=0.93, low=0.9, high=0.95)
    text = read(make_study(document))
    assert "1 column was left out: customer_id ." in text
    assert "There was no time for: ensemble of five" in text
    assert "test rows. A small gain" not in text
    document["data"]["dropped"], document["budget"]["left_out"], document["findings"] = [], [], []
    document["roles"]["counts"]["test"] = 40
    text = read(make_study(document))
    assert "left out" not in text
    assert "no time" not in text.lower()
    assert "The data was not checked for faults." in text
    assert "There were only 40 test rows." in text


def test_a_paired_test_beats_overlapping_ranges(make_study: Callable[..., Study]) -> None:
    document = study_example()
    assert "clearly better than the same net" in read(make_study(document))
    document["winner"]["bought"] = []
    assert "the ranges overlap" in read(make_study(document))


def test_a_simple_winner_is_said(make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["winner"]["trial"] = document["winner"]["boosting_test"]["trial"]
    text = read(make_study(document))
    assert text.count("Gradient boosting") == 1  # no second row of the chosen model
    assert "Gradient boosting was chosen" in text


def test_a_model_worse_than_the_rule_is_not_to_be_used(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    document["winner"]["test"]["accuracy"].update(value=0.5, low=0.45, high=0.55)
    text = read(make_study(document))
    assert "A simple rule is better: always the most common class reaches 73.0" in text
    assert "Do not use this model." in text


def test_a_rival_that_was_not_tested_is_named(make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["winner"]["simple_test"] = None
    assert "could not be compared with a simple rule" in read(make_study(document))


def test_no_finding_is_no_proof_and_no_check_is_no_finding(make_study: Callable[..., Study]) -> None:
    document = study_example()
    fine = [f for f in document["findings"] if f["state"] == "no_problem_found"]
    assert "That is no proof" in read(make_study({**document, "findings": fine}))
    text = read(make_study({**document, "findings": []}))
    assert "That is no proof" not in text
    assert "No check of the data ran" in text


def test_images_are_held_against_a_linear_model(make_study: Callable[..., Study]) -> None:
    document = study_example()
    winner = document["winner"]
    winner["linear_test"], winner["boosting_test"] = winner["boosting_test"], None
    text = read(make_study(document))
    assert "linear model of the pixels" in text
    assert "Gradient boosting" not in text


def test_under_costs_the_first_screen_speaks_of_costs(make_study: Callable[..., Study]) -> None:
    document = study_example()
    cost = {"value": 0.68, "low": 0.23, "high": 1.14, "n": 80, "better": "lower", "name": "expected_cost"}
    document["winner"]["test"]["expected_cost"] = cost
    rule = {**cost, "value": 0.67, "low": 0.54, "high": 0.8}
    document["winner"]["simple_test"]["measurements"]["expected_cost"] = rule
    text = read(make_study(document))
    assert "In your costs, an answer to a new row costs 0.68 ." in text
    assert re.search(r"A simple rule is about as good: .* reaches 0.67 \(cost of an answer, in your costs\)", text)
    assert "of 100 new rows" not in text
