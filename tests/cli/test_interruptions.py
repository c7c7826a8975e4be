"""Studies that are stopped, asked to end, or killed: nothing that was trained is lost."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from temperance.study.ledger import read_ledger

pytestmark = pytest.mark.slow
WORDS = [sys.executable, "-c", "import sys; from temperance.cli import main; sys.exit(main())"]


def start(table, out, *, trials: int = 5) -> subprocess.Popen:
    words = [
        "study",
        table,
        "--target",
        "answer",
        "--workers",
        "1",
        "--json",
        "--budget",
        f"{trials}trials",
        "--out",
        out,
    ]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*WORDS, *map(str, words)], start_new_session=True, **streams)


def finished(out) -> list[str]:
    ledger = out / "ledger.jsonl"
    rows = read_ledger(ledger) if ledger.exists() else []
    return [r["spec"]["id"] for r in rows if r["event"] == "trial" and r["result"].get("status") == "done"]


def wait_for_a_trial(process, out) -> None:
    until = time.monotonic() + 120
    while not finished(out):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no trial finished in two minutes"
        time.sleep(0.05)


def resume(out) -> dict:
    words = [*WORDS, "study", "--resume", str(out), "--json", "--workers", "1"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_study_keeps_the_best_and_goes_on(tmp_path, classes, number) -> None:
    out = tmp_path / "s"
    process = start(classes.table, out)
    wait_for_a_trial(process, out)
    os.kill(process.pid, number)
    stdout, stderr = process.communicate(timeout=180)
    assert process.returncode == 130, stderr
    row = json.loads(stdout)
    assert row["status"] == "interrupted"
    assert (out / "bundle" / "manifest.json").is_file()
    assert (out / "report.html").is_file()
    before = finished(out)
    assert resume(out)["status"] == "complete"
    assert finished(out)[: len(before)] == before  # kept, not trained again
    assert len(finished(out)) == len(set(finished(out)))


def test_a_killed_study_goes_on(tmp_path, classes) -> None:
    out = tmp_path / "s"
    process = start(classes.table, out)
    wait_for_a_trial(process, out)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    before = finished(out)
    with (out / "ledger.jsonl").open("a") as ledger:
        ledger.write('{"event": "trial", "half')  # what a full disk or a power cut leaves
    row = resume(out)
    assert row["status"] == "complete"
    assert finished(out)[: len(before)] == before
    assert (out / "bundle" / "manifest.json").is_file()


def test_workers_end_with_a_killed_study(tmp_path, classes) -> None:
    import psutil

    out = tmp_path / "s"
    process = start(classes.table, out)
    wait_for_a_trial(process, out)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    gone, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    assert len(gone) == len(workers)
