from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from markupsafe import Markup

from temperance.report.base import Study
from temperance.report.metrics import (
    direction,
    form_of,
    main_test,
    metric_name,
    metric_text,
    moved,
    named,
    standing,
    verdict_of,
)
from temperance.report.node import Node


def measured(value: float | None, low: float | None = None, high: float | None = None, better: str = "higher") -> Node:
    return Node({"value": value, "low": low, "high": high, "better": better})


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (measured(0.9, 0.88, 0.92), measured(0.7, 0.68, 0.72), "better"),
        (measured(0.7, 0.68, 0.72), measured(0.9, 0.88, 0.92), "worse"),
        (measured(0.9, 0.88, 0.92), measured(0.89, 0.87, 0.91), "unclear"),
        (measured(0.3, 0.2, 0.4, "lower"), measured(0.6, 0.5, 0.7, "lower"), "better"),
        (measured(0.6, 0.5, 0.7, "lower"), measured(0.3, 0.2, 0.4, "lower"), "worse"),
        (measured(0.6), measured(0.5), "better"),
        (measured(None), measured(0.5), "unknown"),
        (measured(0.9, better="neither"), measured(0.5), "unknown"),
    ],
)
def test_ranges_that_overlap_decide_nothing(ours: Node, theirs: Node, found: str) -> None:
    assert standing(ours, theirs) == found


@pytest.mark.parametrize(
    ("difference", "found"),
    [
        (measured(0.03, 0.01, 0.05), "better"),
        (measured(-0.03, -0.05, -0.01), "worse"),
        (measured(-0.03, -0.05, -0.01, "lower"), "better"),
        (measured(0.03, -0.01, 0.05), "unclear"),
        (measured(0.0, 0.0, 0.0), "unclear"),
        (measured(0.03), "unknown"),
    ],
)
def test_only_a_range_without_zero_is_a_difference(difference: Node, found: str) -> None:
    assert verdict_of(difference) == found


def _plain(text: Markup) -> str:
    return re.sub("<[^>]+>", "", text)


def test_a_difference_says_its_sign_in_words(make_study: Callable[..., Study]) -> None:
    study = make_study()
    assert _plain(moved(study, measured(-0.03, -0.05, 0.01), "number")) == "0.030 lower (0.050 lower to 0.010 higher)"
    assert _plain(moved(study, measured(0.029, 0.016, 0.042), "percent")).startswith("2.9 of 100 higher")
    assert _plain(moved(study, measured(-0.5), "number")) == "0.5 lower"
    assert _plain(moved(study, measured(None), "number")) == "not measured"


def test_metrics_have_names_and_unknown_ones_keep_theirs(make_study: Callable[..., Study]) -> None:
    study = make_study({"winner": {"test": {"rmse": {}, "own<": {}}}, "name": "log_loss", "odd": "my_metric"})
    assert metric_name(study, study.root["winner"]["test"]["rmse"]) == "typical error (RMSE)"
    assert ">own&lt;</bdi>" in metric_name(study, study.root["winner"]["test"]["own<"])
    assert metric_text(study, study.root["name"]) == "log loss"
    assert ">my_metric</bdi>" in metric_text(study, study.root["odd"])
    assert direction(study, "sideways") == "neither way is better"


def test_names_begin_with_a_capital() -> None:
    assert named(Markup("right answers")) == "Right answers"
    assert named(Markup("<bdi>x</bdi>")) == "<bdi>x</bdi>"


def test_shares_are_told_in_percent() -> None:
    assert form_of("accuracy") == "percent"
    assert form_of("log_loss") == "number"


@pytest.mark.parametrize(
    ("document", "key"),
    [
        (
            {"data": {"task": "binary"}, "winner": {"test": {"log_loss": {"value": 1}, "accuracy": {"value": 1}}}},
            "accuracy",
        ),
        ({"data": {"task": "regression"}, "winner": {"test": {"mae": {"value": 1}, "rmse": {"value": 2}}}}, "rmse"),
        ({"metric": {"name": "auc"}, "winner": {"test": {"x": {"value": 1}, "auc": {"value": 1}}}}, "auc"),
        ({"winner": {"test": {"x": {"value": None}, "y": {"value": 2}}}}, "y"),
    ],
)
def test_the_answer_is_told_in_the_plainest_metric(document: Any, key: str, make_study: Callable[..., Study]) -> None:
    assert main_test(make_study(document)).key == key


def test_no_test_is_no_answer(make_study: Callable[..., Study]) -> None:
    assert not main_test(make_study({}))
