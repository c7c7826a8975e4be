from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.app.conftest import TABLE, Client, Started, end

from temperance.app.project import Project, load


def kept(folder: Path) -> Project:
    made = load(folder)
    assert made is not None
    return made


def check(folder: Path, *findings: dict[str, Any]) -> None:
    """Have the check of a project's data end with findings."""
    schema = {"columns": [{"name": "when.month", "source": "when"}, {"name": "zip", "source": "zip"}]}
    place = folder / "app" / "audit"
    place.mkdir(parents=True)
    (place / "audit.json").write_text(json.dumps({"data": {"schema": schema}, "findings": list(findings)}))
    (folder / "app" / "checked").write_text(kept(folder).key)
    end(folder, "audit")


def finding(check: str, **more: Any) -> dict[str, Any]:
    row = {"id": check, "check": check, "state": "look_at_this", "title": f"{check} <b>", "why": "Why.", "evidence": {}}
    return {**row, "confidence": {}, "cannot_see": "", "action": [], **more}


def test_what_was_read_is_shown_with_what_can_be_doubted(client: Client, project: Path) -> None:
    (client.root / "second.csv").write_text(TABLE)
    text = client.get("/study/temperance-sales/data").text
    assert '<option value="second.csv">' in text
    assert "60 rows" in text
    assert "is our guess" in text
    assert "sales &lt;b&gt;.csv" in text
    doubts = re.findall(r"<legend>(\w+)</legend>", text)
    assert doubts == ["when"]
    assert "as they are" not in text
    assert "01/01/2024 is" in text
    assert client.get("/study/temperance-sales/columns.toml").text.startswith("# How the columns are read")


def test_a_decision_is_kept_and_the_file_is_read_so(client: Client, project: Path) -> None:
    goal = "/study/temperance-sales/data"
    decisions = {"target": "left", "c.when": "date,pattern=%m/%d/%Y", "c.zip": "drop", "then": "look"}
    assert client.post(goal, decisions).headers["location"] == goal
    assert kept(project).columns == {"when": "date,pattern=%m/%d/%Y", "zip": "drop"}
    text = client.get(goal).text
    assert "<legend>when" not in text
    assert '<option value="date,pattern=%m/%d/%Y" selected>' in text
    client.post(goal, {"target": "left", "c.when": "", "c.zip": "", "then": "look"})
    assert kept(project).columns == {}


def test_going_on_checks_the_data(client: Client, project: Path, started: Started) -> None:
    answer = client.post("/study/temperance-sales/data", {"then": "check"})
    assert answer.headers["location"] == "/study/temperance-sales/check"
    assert kept(project).target == "left"  # the guess that was shown is the decision now
    kind, words = started[0]
    assert (kind, words[:2]) == ("audit", ["audit", "temperance-sales/app/data/sales.csv"])
    assert "--target=left" in words
    text = client.get("/study/temperance-sales/check").text
    assert "The check runs" in text
    assert client.post("/study/temperance-sales/check/again").status_code == 303
    assert len(started) == 1  # it runs already


def test_a_reading_that_was_not_shown_yet_is_shown_before_going_on(client: Client, project: Path) -> None:
    file = project / "app" / "data" / "sales.csv"
    client.post("/study/temperance-sales/data", {"target": "left", "c.when": "drop", "then": "look"})
    assert file.is_file()
    answer = client.post("/study/temperance-sales/data", {"target": "left", "c.when": "", "then": "study"})
    assert answer.headers["location"].endswith("/data")
    again = client.post("/study/temperance-sales/data", {"target": "left", "c.when": "", "then": "study"})
    assert again.headers["location"].endswith("/study")


@pytest.mark.parametrize(
    "decisions",
    [
        {"target": "nothing"},
        {"group": "nothing"},
        {"task": "module:function"},
        {"c.when": "nonsense"},
        {"sep": '"'},
        {"test": "/etc/passwd"},
    ],
)
def test_what_was_not_offered_is_refused(client: Client, project: Path, decisions: dict[str, str]) -> None:
    answer = client.post("/study/temperance-sales/data", decisions)
    assert answer.status_code == 400
    assert "That did not work" in answer.text
    assert kept(project).columns == {}


def test_a_file_that_cannot_be_read_says_so_and_can_be_helped(client: Client, project: Path) -> None:
    (project / "app" / "data" / "sales.csv").write_text("")
    text = client.get("/study/temperance-sales/data").text
    assert "This cannot be read yet" in text
    assert "Sign between the fields" in text
    assert client.post("/study/temperance-sales/data", {"then": "study"}).headers["location"].endswith("/data")


def test_what_the_check_asks_is_asked_and_the_answer_changes_the_reading(client: Client, project: Path) -> None:
    client.post("/study/temperance-sales/data", {"target": "left", "then": "look"})
    leak = finding("leaks", id="leaks:zip", state="fix_before_use", evidence={"columns": ["zip"]})
    check(project, leak, finding("grouping"), finding("imbalance", state="no_problem_found"))
    goal = "/study/temperance-sales/check"
    text = client.get(goal).text
    assert "2 things need your eye" in text
    assert "Is ‘zip’ known at the moment" in text
    assert "leaks &lt;b&gt;" in text
    answers = {"q.leaks:zip/zip": "drop", "q.grouping": "group", "q.grouping.column": "when", "then": "study"}
    assert client.post(goal, answers).headers["location"].endswith("/study")
    assert kept(project).columns == {"zip": "drop"}
    assert kept(project).group == "when"
    text = client.get(goal).text
    assert "You changed something since this check" in text
    assert 'value="drop" checked' in text


def test_a_check_that_failed_says_why(client: Client, project: Path) -> None:
    client.post("/study/temperance-sales/data", {"target": "left", "then": "look"})
    end(project, "audit", code=-9)
    text = client.get("/study/temperance-sales/check").text
    assert "did not come to an end" in text
    assert "memory ran out" in text


def test_the_end_of_a_check_is_sent(client: Client, project: Path) -> None:
    end(project, "audit")
    text = client.get("/study/temperance-sales/check/events").text
    assert text.index("The check is over") < text.index("event: done")


def test_no_decision_while_the_study_runs(client: Client, project: Path, started: Started) -> None:
    kept(project).changed(target="left", asked=5.0).save(project)
    answer = client.post("/study/temperance-sales/data", {"target": "zip"})
    assert answer.status_code == 400
    assert kept(project).target == "left"


def test_the_way_leads_to_the_step_at_which_a_study_is(client: Client, project: Path, study: Path) -> None:
    assert client.get("/study/temperance-sales/").headers["location"] == "data"
    assert client.get("/study/done/").headers["location"] == "report"
    assert client.get("/study/temperance-sales/check").headers["location"].endswith("/data")


def test_a_forecast_is_asked_for_on_the_page(client: Client, project: Path) -> None:
    goal = "/study/temperance-sales/data"
    rows = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d},{(i % 7) * 1.5 + i / 100}" for i in range(120)]
    (project / "app" / "data" / "sales.csv").write_text("\n".join(["day,sold", *rows]) + "\n")
    asked = {"target": "sold", "time": "day", "lags": "1,7", "horizon": "1", "then": "look"}
    client.post(goal, {"target": "sold", "then": "look"})
    answer = client.post(goal, asked)
    assert answer.headers.get("location") == goal, answer.text
    assert (kept(project).lags, kept(project).horizon) == ("1,7", "1")
    text = client.get(goal).text
    assert "The values of &#39;sold&#39; 1 and 7 steps" in text
    assert client.post(goal, asked | {"series": "nope"}).status_code == 400
    refused = client.post(goal, asked | {"lags": "a week"})
    assert refused.status_code == 400
    assert "whole numbers from 1 up" in refused.text
