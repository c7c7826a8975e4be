"""Workers are processes: they answer, fail with a reason, die and are replaced."""

import os
import time

import pytest

from temperance.records.errors import StudyError
from temperance.study.processes import Processes, worker_count


@pytest.fixture
def pool(runner):
    one = Processes(1, runner.folder)
    yield one
    one.close()


def wait_for(pool, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for lease, event, reply in pool.wait(0.5):
            if event["event"] != "mark":
                return lease, event
            reply({"continue": True})
    raise AssertionError("no event")


def test_a_job_is_done_and_a_bad_one_fails_with_its_reason(pool):
    spec = {"id": "p1", "name": "x", "kind": "basic", "model": "Majority"}
    pool.start("trial", spec=spec, robustness=False)
    assert pool.idle == 0
    with pytest.raises(StudyError, match="idle"):
        pool.start("trial", spec=spec)
    lease, event = wait_for(pool)
    assert (event["event"], event["status"]) == ("done", "done")
    assert lease.job["spec"]["id"] == "p1"
    pool.start("trial", spec={**spec, "model": "Nonsense"})
    assert "Nonsense" in wait_for(pool)[1]["why"]


def test_a_job_begins_once_its_worker_is_ready(pool):
    lease = pool.start("trial", spec=majority("p0"), robustness=False)
    given = lease.since
    wait_for(pool)
    assert lease.since > given + 0.2  # torch alone takes longer


def majority(name):
    return {"id": name, "name": "x", "kind": "basic", "model": "Majority"}


def test_a_killed_worker_is_replaced_and_its_job_tried_once_more(pool):
    wait_for_ready(pool)
    lease = pool.start("trial", spec=majority("p2"), robustness=False)
    pool.processes[0].process.kill()
    told, event = wait_for(pool)
    assert (told, event["event"], event["retried"], event["code"]) == (lease, "lost", True, -9)
    assert lease.attempt == 1
    assert wait_for(pool)[1]["status"] == "done"
    pool.start("trial", spec=majority("p3"), robustness=False)
    for retried in (True, False):
        pool.processes[0].process.kill()
        assert wait_for(pool)[1]["retried"] is retried
        pool.processes[0].ready = True
    # the job is given up with its reason
    assert pool.idle == 1


@pytest.mark.slow
def test_a_killed_idle_worker_is_no_reason_to_end(pool):
    wait_for_ready(pool)
    one = pool.processes[0].process
    one.kill()
    one.wait()
    lease = pool.start("trial", spec=majority("p4"), robustness=False)  # nobody has noticed yet
    assert wait_for(pool)[1] == {"event": "lost", "worker": 0, "code": -9, "retried": True}
    told, event = wait_for(pool)
    assert told is lease
    assert event["status"] == "done"
    pool.processes[0].process.kill()
    told, event = wait_for(pool)
    assert told is None
    assert event["event"] == "lost"
    assert pool.idle == 1


def test_workers_that_cannot_start_are_an_error_not_a_loop(tmp_path, monkeypatch):
    import sys

    monkeypatch.setattr(sys, "executable", "/bin/false")
    one = Processes(1, tmp_path)
    with pytest.raises(StudyError, match=r"3 worker processes in a row .*workers.log"):
        [wait_for(one, seconds=20) for _ in range(5)]
    one.close()


def test_a_process_that_is_ready_comes_first(tmp_path, monkeypatch):
    import sys

    monkeypatch.setattr(sys, "executable", "/bin/cat")
    one = Processes(2, tmp_path)
    one.processes[1].ready = True
    assert one.start("audit").worker == 1
    one.close()


def test_a_process_that_was_ended_is_started_anew_only_where_none_is_left(tmp_path, monkeypatch):
    import sys

    monkeypatch.setattr(sys, "executable", "/bin/cat")
    one = Processes(2, tmp_path)
    first, second = one.start("audit"), one.start("audit")
    one.kill(first)
    ended = one.processes[first.worker]
    assert ended.gone
    assert (one.idle, one.running) == (0, [second])  # the other one goes on alone
    one.kill(second)
    assert one.idle == 1
    third = one.start("refit")
    assert one.processes[third.worker].process.pid not in (ended.process.pid, None)
    assert not one.processes[third.worker].gone
    assert one.idle == 0
    one.close()


def wait_for_ready(pool):
    until = time.monotonic() + 120
    while not pool.processes[0].ready:
        assert time.monotonic() < until
        pool.wait(0.5)


def test_worker_count_is_as_asked_or_by_cores():
    assert worker_count(3) == 3
    assert worker_count(0) == 1
    assert worker_count(None) == len(os.sched_getaffinity(0))
