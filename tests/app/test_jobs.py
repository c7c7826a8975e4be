from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from temperance.app import jobs
from temperance.app.jobs import Job, collect


def wait(job: Job, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while job.is_alive and time.monotonic() < end:
        time.sleep(0.05)


def test_a_command_runs_apart_and_its_end_is_kept(tmp_path: Path) -> None:
    job = Job(tmp_path / "app", "study")
    assert (job.card, job.is_alive, job.has_ended, job.code, job.outcome) == (None, False, False, None, {})
    (tmp_path / "typer.py").write_text("raise SystemExit('a file of the folder was imported')")
    job.start(["study", "missing.csv", "--json"], tmp_path)
    assert job.card is not None
    wait(job)
    assert job.has_ended
    assert job.code == 2
    assert "missing.csv" in job.outcome["error"]["received"]
    assert job.complaint.startswith("Error:")
    job.forget()
    assert (job.card, job.outcome, job.code) == (None, {}, None)


def test_it_is_stopped_as_by_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = Job(tmp_path, "serve")
    script = tmp_path / "python"
    script.write_text('#!/bin/sh\ntrap \'echo "{\\"got\\": \\"INT\\"}"; exit 130\' INT\nwhile :; do sleep 0.05; done\n')
    script.chmod(0o755)
    monkeypatch.setattr(jobs.sys, "executable", str(script))
    sleeper.start([], tmp_path)
    time.sleep(0.3)
    assert sleeper.stop()
    wait(sleeper, 5.0)
    assert (sleeper.code, sleeper.outcome) == (130, {"got": "INT"})
    assert not sleeper.stop()


def test_an_end_is_known_as_soon_as_it_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(jobs.sys, "executable", str(script))
    for _ in range(20):
        job = Job(tmp_path, "audit")
        job.start([], tmp_path)
        while job.is_alive:
            pass
        assert job.code == 3


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux shows a process of several threads")
def test_it_runs_while_any_of_its_threads_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\n"
        "import ctypes, os, threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(1.0), os._exit(5))).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    script.chmod(0o755)
    job = Job(tmp_path, "audit")
    with monkeypatch.context() as patch:
        patch.setattr(jobs.sys, "executable", str(script))
        job.start([], tmp_path)
    wait(job)
    assert job.has_ended
    assert job.code == 5


def test_a_number_that_was_used_again_is_not_our_process(tmp_path: Path) -> None:
    job = Job(tmp_path, "study")
    (tmp_path / "study.job").write_text(json.dumps({"pid": 1, "started": 12.0}))
    assert not job.is_alive
    assert job.has_ended


def test_what_is_no_json_is_no_outcome(tmp_path: Path) -> None:
    job = Job(tmp_path, "study")
    (tmp_path / "study.out").write_text('words\n{"status": "complete"}\nmore words\n')
    assert job.outcome == {"status": "complete"}
    (tmp_path / "study.out").write_text("words\n[1]\n")
    assert job.outcome == {}
    collect()
