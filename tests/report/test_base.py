from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from typing import Any, ClassVar

import pytest
from jinja2 import UndefinedError

from temperance.report.base import Section, Study, environment
from temperance.report.node import Node


def test_templates_escape_what_they_are_given() -> None:
    assert environment().from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"


def test_a_name_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nothing }}").render()


def test_a_trial_is_found_by_its_id(make_study: Callable[..., Study]) -> None:
    study = make_study()
    assert study.trial(study.root["winner"]["trial"])["name"]
    assert not study.trial(Node("no such"))
    assert not study.trial(Node(None))


def test_an_ensemble_is_made_of_its_members(make_study: Callable[..., Study]) -> None:
    trials = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    both = make_study({"trials": trials, "winner": {"trial": "c", "members": ["a", "b", "gone"]}})
    assert [t["id"].raw for t in both.members] == ["a", "b"]
    assert [t["id"].raw for t in make_study({"trials": trials, "winner": {"trial": "c"}}).members] == ["c"]
    assert make_study({}).members == []
    weighed = make_study({"trials": trials, "winner": {"trial": "c", "members": {"a": 0.7, "b": 0.3}}})
    assert [t["id"].raw for t in weighed.members] == ["a", "b"]  # as studies write them


def test_the_task_is_known(make_study: Callable[..., Study]) -> None:
    assert make_study({"data": {"task": "regression"}}).regression
    assert not make_study({}).regression


@dataclass(frozen=True)
class _Plain(Section):
    name: ClassVar[str] = "safety"

    def context(self, study: Study) -> dict[str, Any]:
        from temperance.report.placing import Placed

        return {"placed": Placed((), (), (), 0), "untested": ["files"], "attacks": []}


def test_a_section_fills_its_own_template_and_marks_its_figures(make_study: Callable[..., Study]) -> None:
    study = make_study()
    assert "code hidden in a file" in _Plain().render(study)
    assert study.figures.section == "safety"


def test_a_section_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        _Plain().name = "x"  # type: ignore[misc]
