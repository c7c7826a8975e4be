"""Workers are processes: they answer, fail with a reason, die and are replaced."""

import time

import pytest

from temperance.records.errors import StudyError
from temperance.study.pool import Pool, worker_count


@pytest.fixture
def pool(bench):
    one = Pool(1, bench.folder)
    yield one
    one.close()


def wait_for(pool, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for job, event, answer in pool.wait(0.5):
            if event["event"] != "mark":
                return job, event
            answer({"continue": True})
    raise AssertionError("no event")


def test_a_job_is_done_and_a_bad_one_fails_with_its_reason(pool):
    spec = {"id": "p1", "name": "x", "kind": "basic", "model": "Majority"}
    pool.start("trial", spec=spec, robustness=False)
    assert not pool.idle
    with pytest.raises(StudyError, match="idle"):
        pool.start("trial", spec=spec)
    job, event = wait_for(pool)
    assert (event["event"], event["status"]) == ("done", "done")
    assert job["spec"]["id"] == "p1"
    pool.start("trial", spec={**spec, "model": "Nonsense"})
    assert "Nonsense" in wait_for(pool)[1]["why"]


def test_a_killed_worker_is_replaced_and_its_job_reported(pool):
    pool.start("trial", spec={"id": "p2", "name": "x", "kind": "basic", "model": "Majority"}, robustness=False)
    wait_for(pool)
    pool.start("audit", seed=0, seconds=None)
    pool.workers[0].process.kill()
    _, event = wait_for(pool)
    assert event["event"] == "failed"
    assert "ended with code" in event["why"]
    assert len(pool.idle) == 1


def test_worker_count_is_as_asked_or_by_cores():
    assert worker_count(3) == 3
    assert worker_count(0) == 1
    assert worker_count(None) >= 1
