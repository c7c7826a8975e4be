from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.app.conftest import Client, Started, end

from temperance.app.project import Project, load
from temperance.testing.study_example import study_example

STUDY = "/study/temperance-sales/study"


def kept(folder: Path) -> Project:
    made = load(folder)
    assert made is not None
    return made


@pytest.fixture
def ready(project: Path) -> Path:
    kept(project).changed(target="left").save(project)
    return project


def test_a_study_is_set_up_and_started(tmp_path: Path, ready: Path, started: Started) -> None:
    client = Client(tmp_path, known=frozenset({"metric", "seed", "language"}))
    text = client.get(STUDY).text
    assert "How long may it take?" in text
    assert 'name="o.metric"' in text
    assert 'name="o.cost"' not in text  # the installed command does not know it
    answer = client.post(STUDY, {"budget": "1m", "o.metric": "accuracy", "o.seed": "3", "o.cost": "x"})
    assert answer.headers["location"] == STUDY
    kind, words = started[0]
    assert (kind, words[0], words[1]) == ("study", "study", "temperance-sales/app/data/sales.csv")
    assert {"--target=left", "--budget=1m", "--metric=accuracy", "--seed=3", "--json"} < set(words)
    assert "--out=temperance-sales" in words
    assert not any("cost" in word for word in words)
    assert "The study runs" in client.get(STUDY).text
    assert client.post(STUDY, {"budget": "1m"}).status_code == 400  # once is enough


@pytest.mark.parametrize("form", [{"budget": "own", "own_budget": "3 weeks"}, {"budget": "1s"}, {"o.metric": "../x"}])
def test_a_bad_setting_starts_nothing(tmp_path: Path, ready: Path, started: Started, form: dict[str, str]) -> None:
    client = Client(tmp_path, known=frozenset({"metric"}))
    assert client.post(STUDY, form).status_code == 400
    assert started == []


def test_a_second_study_waits_and_can_leave_the_line(client: Client, ready: Path, started: Started) -> None:
    client.post(STUDY, {"budget": "1m"})
    client.post("/study/temperance-sales/again")
    other = ready.parent / "temperance-sales-2"
    client.post("/study/temperance-sales-2/study", {"budget": "1m"})
    assert len(started) == 1
    text = client.get("/study/temperance-sales-2/study").text
    assert "The study waits" in text
    assert "It is the next" in text
    client.post("/study/temperance-sales-2/stop")
    assert kept(other).asked == 0.0
    client.post("/study/temperance-sales/stop")
    assert started.interrupted == [started.pid]


def test_how_it_goes_is_told_in_words(client: Client, ready: Path, started: Started) -> None:
    client.post(STUDY, {"budget": "1m"})
    rows = [
        {"event": "study", "at": 1.0, "moment": 1.0, "settings": {"budget": {"seconds": 60.0}}},
        {"event": "start", "at": 2.0, "spec": {"id": "t0", "name": "trees <b>"}},
        {"event": "trial", "at": 4.0, "spec": {"id": "t0", "name": "trees <b>"}, "result": {}, "quality": 0.3},
        {"event": "start", "at": 5.0, "spec": {"id": "t1", "name": "a net"}},
    ]
    (ready / "ledger.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = client.get(STUDY).text
    assert "It is the best so far" in text
    assert "Trains now: a net" in text
    assert "trees &lt;b&gt;" in text
    assert "&amp;lt;" not in text  # escaped once
    assert "Finishing." in text  # the minute is long over
    (ready / "study.json").write_text(json.dumps(study_example()))
    end(ready)
    assert client.get("/study/temperance-sales/events").text.endswith("event: done\ndata: \n\n")


def test_a_failed_study_says_why_and_can_be_started_once_more(client: Client, ready: Path, started: Started) -> None:
    client.post(STUDY, {"budget": "1m"})
    end(ready, code=2, out='{"error": {"message": "There is no <column>."}}')
    text = client.get(STUDY).text
    assert "The study failed" in text
    assert "There is no &lt;column&gt;." in text
    assert "There is no &lt;column&gt;." in client.get("/").text
    again = {"budget": "own", "own_budget": "1m"}
    assert client.post(STUDY, again).status_code == 303
    assert len(started) == 2


def test_a_killed_study_that_had_models_goes_on_instead_of_anew(client: Client, ready: Path, started: Started) -> None:
    client.post(STUDY, {"budget": "1m"})
    row = {"event": "trial", "spec": {"id": "t", "name": "trees"}, "result": {}, "quality": 0.3}
    (ready / "ledger.jsonl").write_text(2 * (json.dumps(row) + "\n"))
    end(ready, code=-9)
    text = client.get(STUDY).text
    assert "memory ran out" in text
    assert "Go on from where it ended" in text
    assert "Start it once more" not in text
    client.post("/study/temperance-sales/onwards", {"budget": "rest"})
    assert started[-1][1] == ["study", "--resume=temperance-sales", "--json"]


def test_a_study_that_is_over_can_go_on(client: Client, ready: Path, started: Started) -> None:
    (ready / "study.json").write_text(json.dumps(study_example()))
    (ready / "ledger.jsonl").write_text("")
    assert "Read the report" in client.get(STUDY).text
    assert client.post("/study/temperance-sales/onwards", {"budget": "soon"}).status_code == 400
    client.post("/study/temperance-sales/onwards", {"budget": "5m"})
    assert started[0][1] == ["study", "--resume=temperance-sales", "--budget=5m", "--json"]


def test_the_report_is_shown_and_its_figures_given(client: Client, study: Path) -> None:
    text = client.get("/study/done/report").text
    assert text.count('class="part"') == 12
    assert client.get("/study/done/study.json").json()["schema"] == 1
    (study / "study.json").write_text("{")
    assert "cannot be read" in client.get("/study/done/study").text
    assert client.get("/study/done/report").headers["location"].endswith("/study")


def test_a_project_is_removed_and_a_study_of_others_is_not(client: Client, ready: Path, study: Path) -> None:
    assert "not removed here" in client.get("/study/done/remove").text
    assert client.post("/study/done/remove").status_code == 404
    assert study.is_dir()
    assert "cannot be undone" in client.get("/study/temperance-sales/remove").text
    assert client.post("/study/temperance-sales/remove").headers["location"] == "/"
    assert not ready.exists()


def test_one_that_runs_is_not_removed(client: Client, ready: Path, started: Started) -> None:
    client.post(STUDY, {"budget": "1m"})
    assert client.post("/study/temperance-sales/remove").status_code == 400
    assert ready.is_dir()


def test_there_is_no_way_around_the_target(client: Client, project: Path) -> None:
    assert client.get(STUDY).headers["location"].endswith("/data")
