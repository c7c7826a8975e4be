from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from temperance.app.folders import Studies
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
    make(tmp_path, "stopped", json.dumps(study_example(status="interrupted")))
    make(tmp_path, "now", None)
    make(tmp_path, "broken", "{")
    make(tmp_path, "list", "[]")
    (tmp_path / "other").mkdir()
    return tmp_path


def test_each_study_has_a_state(root: Path) -> None:
    found = {entry.name: entry.state for entry in Studies(root).entries()}
    assert found == {
        "done": "complete",
        "stopped": "interrupted",
        "now": "running",
        "broken": "unreadable",
        "list": "unreadable",
    }


def test_a_failed_study_does_not_run(root: Path) -> None:
    ledger = root / "now" / "ledger.jsonl"
    ledger.write_text('{"event": "study"}\n{"event": "failed", "why": "the disk is full"}\n')
    entry = Studies(root).find("now")
    assert entry is not None
    assert (entry.state, entry.why, entry.is_over) == ("failed", "the disk is full", True)
    with ledger.open("a") as file:
        file.write('{"event": "study"}\n')  # it was taken up again
    assert [one.state for one in Studies(root / "now").entries()] == ["running"]


def test_a_study_whose_process_is_gone_does_not_run(root: Path) -> None:
    lock = root / "now" / "lock"
    lock.write_text(json.dumps({"pid": 2**22 + 1, "started": 1.0, "host": socket.gethostname()}))
    assert [one.state for one in Studies(root / "now").entries()] == ["stopped"]
    held = FolderLock(root / "done")  # a finished study that is taken up again runs
    assert [one.state for one in Studies(root / "done").entries()] == ["running"]
    held.release()


def test_what_is_told_does_not_hold_the_path(root: Path) -> None:
    entry = Studies(root).find("done")
    assert entry is not None
    assert entry.to_dict() | {"changed": 0} == {
        "name": "done",
        "state": "complete",
        "target": "churned",
        "data": "churn.csv",
        "changed": 0,
    }


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "other", "done/../now", "nothing"])
def test_only_listed_names_are_found(root: Path, name: str) -> None:
    assert Studies(root).find(name) is None


def test_links_out_of_the_root_are_left_alone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = make(tmp_path_factory.mktemp("outside"), "secret", None)
    (root / "link").symlink_to(outside)
    assert Studies(root).find("link") is None


def test_a_study_may_be_the_root_itself(root: Path) -> None:
    assert [entry.name for entry in Studies(root / "done").entries()] == ["done"]


def test_a_root_that_is_gone_has_no_studies(tmp_path: Path) -> None:
    assert Studies(tmp_path / "gone").entries() == ()
