from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from temperance.report.base import Study
from temperance.report.doubts import doubts

FINE = {"findings": [{"check": "leaks", "state": "no_problem_found"}], "roles": {"counts": {"test": 400}}}


def read(study: Study) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", " ".join(doubts(study))).split())


def test_a_study_without_faults_gives_no_reason(make_study: Callable[..., Study]) -> None:
    assert read(make_study(FINE)) == ""


def test_short_training_is_said_only_where_time_ran_out(make_study: Callable[..., Study]) -> None:
    trials: list[dict[str, Any]] = [
        {"id": "a", "kind": "cocktail", "status": "done"},
        {"id": "b", "kind": "cocktail", "status": "discarded", "why": "Another trial was clearly better."},
    ]
    assert read(make_study({**FINE, "trials": trials})) == ""
    trials[1].update(status="interrupted")
    assert "The time was short: 1 of 2 tries were finished." in read(make_study({**FINE, "trials": trials}))
    trials[0]["kind"] = "basic"
    assert "no net was among them" in read(make_study({**FINE, "trials": trials}))


def test_a_missing_package_is_no_lack_of_time(make_study: Callable[..., Study]) -> None:
    left = [{"what": "CatBoost", "why": "the package catboost is not installed"}]
    assert read(make_study({**FINE, "budget": {"left_out": left}})) == ""
    left[0]["why"] = "no time left in the budget"
    assert "There was no time for: CatBoost" in read(make_study({**FINE, "budget": {"left_out": left}}))


def test_many_dropped_columns_are_named_and_counted(make_study: Callable[..., Study]) -> None:
    dropped = [{"column": f"note{i}", "why": "text"} for i in range(8)]
    text = read(make_study({**FINE, "data": {"dropped": dropped}}))
    assert text.startswith("8 columns were left out: note0 , note1")
    assert "And 3 more." in text
