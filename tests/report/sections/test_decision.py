"""What mistakes cost, told only where costs were stated; each sentence changes with its figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from temperance.evaluation.base import Outcome
from temperance.evaluation.decision import priced
from temperance.records.decision import Costs
from temperance.records.decision import Decision as Rule
from temperance.report.base import Study
from temperance.report.page import html
from temperance.report.sections.decision import Decision
from temperance.testing.study_example import study_example

TWO = ("no", "yes")


def example(threshold: float | None = None) -> dict[str, Any]:
    random = np.random.default_rng(0)
    chance = random.beta(1, 3, 300)
    truth = (random.random(300) < chance).astype(np.int64)
    rule = Rule(Costs.of([("yes", "no", 10)], TWO), threshold, 120)
    document: dict[str, Any] = study_example()
    seen = Outcome(np.stack([1 - chance, chance], axis=1), truth, "binary", decision=rule)
    document["winner"]["decision"] = priced(seen, TWO)
    return document


def read(study: Study) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", Decision().render(study)).split())


def test_a_study_without_costs_has_no_such_section(make_study: Callable[..., Study]) -> None:
    assert not Decision().applies(make_study(study_example()))
    assert 'id="decision"' not in html(study_example())
    assert 'id="decision"' in html(example())


def test_the_threshold_and_where_it_comes_from_are_told(make_study: Callable[..., Study]) -> None:
    text = read(make_study(example()))
    assert "It answers yes from a chance of 9 of 100 on" in text
    assert "120 rows that it did not learn gave no reason for another" in text
    moved = read(make_study(example(0.25)))
    assert "from a chance of 25 of 100 on" in moved
    assert "your costs alone would give 9 of 100" in moved
    assert "gave no reason" not in moved


def test_each_rule_is_compared_and_the_words_follow_the_verdict(make_study: Callable[..., Study]) -> None:
    document = example()
    text = read(make_study(document))
    assert text.count("These answers are cheaper") >= 2
    worst = read(make_study(example(0.99)))
    assert "These answers are dearer" in worst
    for other in document["winner"]["decision"]["others"]:
        other["verdict"] = "no evidence of difference"
    text = read(make_study(document))
    assert "cheaper" not in text
    assert text.count("No clear difference from these answers") == 3


def test_the_line_in_use_is_marked_and_the_prices_stand_there(make_study: Callable[..., Study]) -> None:
    text = read(make_study(example()))
    assert text.count("(in use)") == 1
    assert "To answer no where yes is true costs 10 ." in text
