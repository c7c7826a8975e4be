from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from temperance.app.story import Story, story
from temperance.study.events import EVENTS


def told(tmp_path: Path, *rows: dict[str, Any] | str) -> Story:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (tmp_path / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    return story(tmp_path / "ledger.jsonl")


def spec(key: str, name: str, model: str = "net") -> dict[str, Any]:
    return {"id": key, "name": name, "model": model}


BEGAN = {"event": "study", "at": 1.0, "moment": 100.0, "settings": {"budget": {"seconds": 60.0}}}


def test_it_tells_the_best_so_far_and_what_is_left(tmp_path: Path) -> None:
    made = told(
        tmp_path, BEGAN,
        {"event": "start", "at": 2.0, "spec": spec("t0", "the same", "Majority")},
        {"event": "trial", "at": 3.0, "spec": spec("t0", "the same", "Majority"), "result": {}, "quality": 0.8},
        {"event": "start", "at": 3.0, "spec": spec("t1", "trees")},
        {"event": "trial", "at": 6.0, "spec": spec("t1", "trees"), "result": {"status": "done"}, "quality": 0.2},
        {"event": "start", "at": 7.0, "spec": spec("t2", "a net")},
        {"event": "trial", "at": 9.0, "spec": spec("t3", "bad"), "result": {"status": "failed", "why": "NaN"}},
        "half a line",
    )  # fmt: skip
    assert (made.best, made.loss, made.gain, made.tried, made.failed) == ("trees", 0.2, 75, 2, 1)
    assert made.running == {"t2": "a net"}
    assert (made.elapsed(120.0), made.left(120.0), made.share(130.0)) == (20.0, 40.0, 0.5)
    assert made.left(1000.0) == 0.0
    assert [at for at, _ in made.steps] == [1.0, 2.0, 3.0, 3.0, 6.0, 7.0, 9.0]
    assert "best so far" in made.steps[4][1]
    assert "NaN" in made.steps[-1][1]


def test_a_session_that_goes_on_counts_what_was_spent_before(tmp_path: Path) -> None:
    more = {**BEGAN, "moment": 500.0, "settings": {"budget": {"seconds": 120.0}}}
    made = told(tmp_path, BEGAN, {"event": "stopped", "at": 30.0}, more)
    assert (made.left(510.0), made.stopping) == (80.0, False)


def test_without_a_budget_of_time_nothing_is_said_to_be_left(tmp_path: Path) -> None:
    made = told(tmp_path, {**BEGAN, "settings": {"budget": {"runs": 1}}})
    assert (made.left(110.0), made.share(110.0), made.gain) == (None, None, None)
    assert story(tmp_path / "none") == Story()


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_of_a_study_is_told_or_passed_over(tmp_path: Path, kind: str) -> None:
    made = told(tmp_path, {**EVENTS[kind]().to_dict(), "at": 5.0})
    assert len(made.steps) == (kind not in ("mark", "ensemble", "refit", "trial"))
    assert all("{" not in text for _, text in made.steps)


def test_names_in_a_ledger_are_data(tmp_path: Path) -> None:
    odd = {"event": "audit", "findings": [7]}
    made = told(tmp_path, {"event": "start", "at": 1, "spec": spec("t", "<b>" + "x" * 500)}, odd)
    assert "&lt;b&gt;" in made.steps[0][1]
    assert len(made.steps[0][1]) < 250
