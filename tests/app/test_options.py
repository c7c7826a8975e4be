from __future__ import annotations

import pytest

from temperance.app.folders import WORDS
from temperance.app.options import BUDGETS, FIELDS, budget_of, fields, options_of, study_arguments
from temperance.app.project import Project
from temperance.cli.commands.app import known_options
from temperance.evaluation.metrics.registry import check_goal
from temperance.records.errors import BudgetError, SettingError
from temperance.study.clock import parse_budget

ALL = frozenset(field.name for field in FIELDS)


def test_every_budget_that_is_offered_is_taken_and_has_words() -> None:
    for one in BUDGETS:
        assert parse_budget(one)
        assert WORDS.knows(f"budget.{one}")


def test_only_what_the_installed_command_knows_and_the_target_allows_is_offered() -> None:
    names = [field.name for field in fields("regression", frozenset({"metric", "cost", "seed"}))]
    assert names == ["metric", "seed"]
    assert {"prefer", "max-latency", "max-size", "workers", "seed", "language", "metric"} <= known_options()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_metric_that_is_offered_can_decide(task: str) -> None:
    metric = next(field for field in fields(task, ALL) if field.name == "metric")
    for value, _ in metric.options[1:]:
        assert check_goal(value, task=task).name == value  # type: ignore[arg-type]


def test_a_form_becomes_options() -> None:
    offered = fields("binary", ALL)
    form = {"budget": "own", "own_budget": " 45s ", "o.metric": "accuracy", "o.seed": " 3 ", "o.nonsense": "x"}
    assert budget_of(form) == "45s"
    assert options_of(form, offered) == {"metric": "accuracy", "seed": "3"}
    made = Project("A", {"kind": "file", "name": "a"}, task="regression", options={"budget": "45s", "seed": "--x"})
    assert study_arguments(made) == ["--budget=45s", "--task=regression", "--seed=--x"]


def test_what_was_not_offered_is_refused() -> None:
    with pytest.raises(SettingError, match="What decides"):
        options_of({"o.metric": "x"}, fields("binary", ALL))
    with pytest.raises(BudgetError):
        budget_of({"budget": "own", "own_budget": "soon"})
