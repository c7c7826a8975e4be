from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from tests.app.conftest import Started, end

from temperance.app import waiting
from temperance.app.folders import Entry, Studies
from temperance.app.project import Project
from temperance.app.waiting import Line, start
from temperance.records.errors import StudyError
from temperance.study.lock import started_at
from temperance.testing.study_example import study_example


def made(root: Path, name: str, **more: object) -> tuple[Entry, Project]:
    project = Project(name, {"kind": "bundled", "name": "iris"}, target="target", **more)  # type: ignore[arg-type]
    project.save(root / name)
    return found(root, name), project


def found(root: Path, name: str) -> Entry:
    entry = Studies(root).find(name)
    assert entry is not None
    return entry


def test_one_runs_at_a_time_and_the_next_starts_by_itself(tmp_path: Path, started: Started) -> None:
    line = Line(Studies(tmp_path), every=0.01)
    for name in ("one", "two", "three"):
        line.ask(*made(tmp_path, name))
    assert [words[1][-2] for words in started] == ["--out=one"]
    assert [entry.name for entry in line.queued()] == ["two", "three"]
    line.leave(found(tmp_path, "two"))
    end(tmp_path / "one", code=2)

    async def run() -> None:
        runner = asyncio.create_task(line.run())
        while len(started) < 2:
            await asyncio.sleep(0.01)
        runner.cancel()

    asyncio.run(asyncio.wait_for(run(), 10))
    assert [words[1][-2] for words in started] == ["--out=one", "--out=three"]
    assert found(tmp_path, "two").state == "draft"


def test_the_line_is_in_the_folders_and_outlives_the_app(tmp_path: Path, started: Started) -> None:
    made(tmp_path, "one", asked=5.0)
    made(tmp_path, "two", asked=4.0)
    Line(Studies(tmp_path)).advance()
    assert [words[1][-2] for words in started] == ["--out=two"]
    assert started[0][1][:2] == ["study", "sklearn:iris"]


def test_a_study_started_elsewhere_counts_and_can_be_stopped(tmp_path: Path, started: Started) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "ledger.jsonl").write_text("")
    owner = {"pid": os.getpid(), "started": started_at(os.getpid()), "host": socket.gethostname()}
    (other / "lock").write_text(json.dumps(owner))
    line = Line(Studies(tmp_path))
    line.ask(*made(tmp_path, "one"))
    assert started == []
    line.leave(found(tmp_path, "other"))
    assert started.interrupted == [os.getpid()]


def test_what_waits_or_runs_is_not_asked_for_again(tmp_path: Path, started: Started) -> None:
    line = Line(Studies(tmp_path))
    entry, project = made(tmp_path, "one")
    line.ask(entry, project)
    with pytest.raises(StudyError, match="already"):
        line.ask(found(tmp_path, "one"), project)


@pytest.mark.parametrize(("more", "words"), [("rest", []), ("5m", ["--budget=5m"])])
def test_an_earlier_study_goes_on(tmp_path: Path, started: Started, more: str, words: list[str]) -> None:
    entry, project = made(tmp_path, "one")
    (tmp_path / "one" / "study.json").write_text(json.dumps(study_example()))
    Line(Studies(tmp_path)).ask(entry, project, more=more)
    assert started[0][1] == ["study", "--resume=one", *words, "--json"]


def test_a_folder_without_a_project_cannot_be_started(tmp_path: Path, started: Started) -> None:
    with pytest.raises(StudyError, match="no project"):
        start(Entry("x", tmp_path, "stopped"), tmp_path)


def test_one_folder_that_cannot_be_written_does_not_end_the_line(
    tmp_path: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(Studies(tmp_path), every=0.01)
    calls: list[int] = []

    def advance() -> None:
        calls.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(line, "advance", advance)

    async def run() -> None:
        runner = asyncio.create_task(line.run())
        while len(calls) < 3:
            await asyncio.sleep(0.01)
        runner.cancel()

    asyncio.run(asyncio.wait_for(run(), 10))
    assert len(calls) >= 3


def test_asking_and_looking_at_once_start_one_study(
    tmp_path: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(Studies(tmp_path))
    made(tmp_path, "one", asked=1.0)
    made(tmp_path, "two", asked=2.0)
    slow = waiting.start

    def start_slowly(entry: Entry, root: Path) -> None:
        time.sleep(0.05)
        slow(entry, root)

    monkeypatch.setattr(waiting, "start", start_slowly)
    threads = [threading.Thread(target=line.advance) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
