"""Workers beside the first are copies of it: they work, they die alone, and nothing of them is left behind."""

import os
import resource
import subprocess
import sys
import time

import psutil
import pytest

from temperance.study import processes
from temperance.study.copies import Copy, become
from temperance.study.processes import Processes
from temperance.study.workers import Lease

pytestmark = pytest.mark.skipif(not processes.COPIES, reason="copies are made on Linux alone")


@pytest.fixture
def pair(runner):
    one = Processes(2, runner.folder)
    yield one
    one.close()


def until(pool, right, seconds=300):
    """Return what was heard until ``right(pool)``."""
    heard, end = [], time.monotonic() + seconds
    while not right(pool):
        assert time.monotonic() < end, heard
        heard += pool.wait(0.5)
    return heard


def all_ready(pool):
    return all(one.ready for one in pool.processes)


def runs(pid):
    """Return whether a process works on; one that has ended may wait for the system to notice."""
    if pid is None:
        return False
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def job(name):
    return {"spec": {"id": name, "name": "x", "kind": "basic", "model": "Majority"}, "robustness": False}


def test_the_second_worker_is_a_copy_of_the_first_and_both_work(pair):
    first, second = (one.process for one in pair.processes)
    assert isinstance(second, Copy)
    leases = [pair.start("trial", **job(f"c{i}")) for i in range(2)]  # before they are ready
    heard = until(pair, lambda pool: pool.idle == 2)
    assert {answer.lease for answer in heard} == set(leases)
    assert {answer.event["status"] for answer in heard} == {"done"}
    assert psutil.Process(second.pid).ppid() == first.pid
    assert os.getsid(second.pid) == second.pid  # Ctrl-C in the terminal does not reach it


def test_a_copy_that_dies_is_replaced_and_its_job_tried_once_more(pair):
    until(pair, all_ready)
    pair.processes[0].lease = Lease(99)  # holds the first, so that the copy gets the job
    lease = pair.start("trial", **job("c3"))
    assert lease.worker == 1
    pair.processes[1].process.kill()
    heard = until(pair, lambda pool: pool.processes[1].lease is None)
    told = [answer.event for answer in heard if answer.lease is lease]
    assert told[0] == {"event": "lost", "worker": 1, "code": None, "retried": True}
    assert told[1]["status"] == "done"
    assert not isinstance(pair.processes[1].process, Copy)


def test_the_copy_outlives_the_first(pair):
    until(pair, all_ready)
    pair.processes[0].process.kill()
    pair.processes[0].process.wait()
    until(pair, lambda pool: not pool.processes[0].ready)  # noticed, and replaced
    lease = pair.start("trial", **job("c4"))
    assert lease.worker == 1  # the one that is ready comes first
    heard = until(pair, lambda pool: pool.processes[1].lease is None)
    assert [answer.event["status"] for answer in heard if answer.lease is lease] == ["done"]


def test_none_is_left_and_their_seconds_count(runner):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    pool = Processes(2, runner.folder)
    until(pool, all_ready)
    copy = pool.processes[1].process.pid
    for i in range(3):
        pool.start("trial", **job(f"c5{i}"))
        until(pool, lambda pool: pool.idle == 2)
    used = sum(psutil.Process(copy).cpu_times()[:2]) + sum(
        psutil.Process(pool.processes[0].process.pid).cpu_times()[:2]
    )
    pool.close()
    assert not psutil.pid_exists(copy)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime >= used - 0.05


def test_what_is_closed_while_it_starts_leaves_nothing(runner):
    pool = Processes(3, runner.folder)
    first = psutil.Process(pool.processes[0].process.pid)
    _, second = pool.start("audit"), pool.start("audit")
    pool.kill(second)  # a copy that is only being made
    assert pool.processes[second.worker].gone
    pool.close()
    assert not first.is_running()
    assert not any(runs(one.process.pid) for one in pool.processes[1:])


@pytest.mark.slow
def test_where_threads_run_a_fresh_process_is_started(tmp_path):
    """Two pipes of a file each stand for those of a worker; the copy reads nothing, says that it is ready, and ends."""
    said = tmp_path / "said"
    code = (
        "import os, sys, threading\n"
        "from temperance.study.copies import become\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        f"read, said = os.open('/dev/null', os.O_RDONLY), os.open({str(said)!r}, os.O_WRONLY | os.O_CREAT)\n"
        "assert become([str(read), str(said)], 1) == 1\n"
        "os.wait()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert said.read_text().startswith('{"event": "ready"')


def test_half_a_pair_of_pipes_is_refused():
    with pytest.raises(ValueError, match="3 pipes"):
        become(["5", "6", "7"], 1)
