from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from tests.app.conftest import Started, end

from temperance.app.folders import WORDS, Studies, over
from temperance.app.project import Project, load
from temperance.study.lock import FolderLock
from temperance.testing.study_example import study_example


def make(root: Path, name: str, content: str | None) -> Path:
    folder = root / name
    folder.mkdir()
    (folder / "ledger.jsonl").write_text("")
    if content is not None:
        (folder / "study.json").write_text(content)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make(tmp_path, "done", json.dumps(study_example()))
    make(tmp_path, "early", json.dumps(study_example(status="interrupted")))
    make(tmp_path, "gone", None)
    make(tmp_path, "broken", "{")
    make(tmp_path, "list", "[]")
    (tmp_path / "other").mkdir()
    return tmp_path


def state(root: Path, name: str) -> tuple[str, str]:
    entry = Studies(root).find(name)
    assert entry is not None
    assert entry.to_dict()["state"] == entry.state
    return entry.state, entry.why


def test_each_study_has_a_state(root: Path) -> None:
    found = {entry.name: entry.state for entry in Studies(root).entries()}
    known = {
        "done": "complete",
        "early": "interrupted",
        "gone": "stopped",
        "broken": "unreadable",
        "list": "unreadable",
    }
    assert found == known
    assert all(WORDS.knows(f"state.{one}") for one in (*known.values(), "draft", "queued", "running", "failed"))


def test_a_study_that_nobody_works_on_does_not_run_for_ever(root: Path) -> None:
    assert "left no word" in state(root, "gone")[1]
    lock = root / "gone" / "lock"
    lock.write_text(json.dumps({"pid": 2**22 + 1, "started": 1.0, "host": socket.gethostname()}))
    assert state(root, "gone")[0] == "stopped"
    held = FolderLock(root / "gone")
    assert state(root, "gone")[0] == "running"
    assert not over(Studies(root), "gone")
    held.release()
    assert over(Studies(root), "gone")


def test_a_failed_study_says_why(root: Path) -> None:
    ledger = root / "gone" / "ledger.jsonl"
    ledger.write_text('{"event": "study"}\n{"event": "failed", "why": "the disk is full"}\n')
    assert state(root, "gone") == ("failed", "the disk is full")


@pytest.mark.parametrize(
    ("code", "out", "err", "stands", "words"),
    [
        (2, '{"error": {"message": "There is no column x."}}', "", "failed", "There is no column x."),
        (-9, "", "", "failed", "memory ran out"),
        (-11, "", "", "failed", "signal 11"),
        (None, "", "", "failed", "left no word"),
        (1, "", "Error: odd\nlast words", "failed", "exit status 1. last words"),
        (130, "", "Stopped.", "stopped", "You stopped it"),
        (-2, "", "", "stopped", "You stopped it"),
    ],
)
def test_a_command_of_the_app_that_ended_says_why(
    project: Path, code: int | None, out: str, err: str, stands: str, words: str
) -> None:
    end(project, code=code, out=out, err=err)
    found = state(project.parent, project.name)
    assert found[0] == stands
    assert words in found[1]


def test_a_project_is_a_draft_waits_and_runs(project: Path, started: Started) -> None:
    assert state(project.parent, project.name) == ("draft", "")
    made = load(project)
    assert made is not None
    made.changed(asked=5.0).save(project)
    assert state(project.parent, project.name)[0] == "queued"
    entry = Studies(project.parent).find(project.name)
    assert entry is not None
    entry.job.start([], project)
    assert state(project.parent, project.name)[0] == "running"
    assert not entry.has_result


def test_a_study_that_could_not_go_on_keeps_its_result(project: Path) -> None:
    (project / "study.json").write_text(json.dumps(study_example()))
    end(project, code=2, out='{"error": {"message": "The budget is too small."}}')
    assert state(project.parent, project.name) == ("complete", "The budget is too small.")


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "other", "done/../gone", "nothing"])
def test_only_listed_names_are_found(root: Path, name: str) -> None:
    assert Studies(root).find(name) is None


def test_links_out_of_the_root_are_not_followed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = make(tmp_path_factory.mktemp("outside"), "secret", json.dumps(study_example()))
    (root / "link").symlink_to(outside)
    (root / "sly").mkdir()
    (root / "sly" / "study.json").symlink_to(outside / "study.json")
    Project("x", {"kind": "file", "name": "x"}).save(outside)
    (root / "sly" / "app").symlink_to(outside / "app")
    assert Studies(root).find("link") is None
    assert Studies(root).find("sly") is None


def test_the_root_itself_may_be_a_study_and_hold_others(root: Path) -> None:
    make(root / "done", "inner", None)
    assert {entry.name for entry in Studies(root / "done").entries()} == {"done", "inner"}
    assert Studies(root / "none").entries() == ()
