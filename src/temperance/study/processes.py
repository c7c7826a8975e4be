"""Workers that are processes on this machine, one thread each. No torch here."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from temperance.records.errors import StudyError
from temperance.records.plain_json import dumps
from temperance.study.settings import StudySettings
from temperance.study.workers import Answer, Event, Lease, Workers

MOST_FALSE_STARTS = 3  # workers in a row that end before they are ready


class Process:
    """One worker process and the job that it holds; ``gone``: it was ended, and its place is free for a new one."""

    def __init__(self, number: int, log: IO[bytes]) -> None:
        self.number = number
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "temperance.study.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            env={**os.environ, **threads}, start_new_session=True,
        )  # fmt: skip
        self.lease: Lease | None = None
        self.ready = self.gone = False
        self._rest = b""
        os.set_blocking(self.out.fileno(), False)

    @property
    def out(self) -> IO[bytes]:
        """What the process says."""
        assert self.process.stdout is not None
        return self.process.stdout

    def send(self, message: Event) -> None:
        """Write one line; one that is gone does not hear it, which ``read`` will tell."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.process.kill()  # whatever is left of it; its end is reported by `read`

    def read(self) -> list[Event] | None:
        """Return the events that have arrived; None when the process is gone."""
        data = self.out.read()
        if data == b"" or (data is None and self.process.poll() is not None):
            return None
        self._rest += data or b""
        *lines, self._rest = self._rest.split(b"\n")
        return [json.loads(line) for line in lines if line]


class Processes(Workers):
    """N processes.

    Args:
        count: how many.
        folder: the study's ``work`` folder; what the workers print goes to ``workers.log`` in it.
        task: ``module:function`` of a user's net, or empty.
        device: where nets are trained; the workers decide what ``auto`` is.

    """

    def __init__(self, count: int, folder: Path, *, task: str = "", device: str = "cpu") -> None:
        (folder / "stops").mkdir(parents=True, exist_ok=True)
        for old in (folder / "stops").iterdir():
            old.unlink()
        self.count, self.folder, self.task, self.device = count, folder, task, device
        self._log = (folder / "workers.log").open("ab")
        self._selector = selectors.DefaultSelector()
        self._jobs = self._false_starts = 0
        self.processes = [self._new(i) for i in range(count)]

    @property
    def idle(self) -> int:
        """Processes without a job; one may still be starting: a job waits for it then.

        The place of one that was ended counts only where none is left: starting takes seconds of a core.
        """
        alive = [one for one in self.processes if not one.gone]
        return sum(one.lease is None for one in alive) if alive else 1

    @property
    def running(self) -> list[Lease]:
        """Jobs that run now."""
        return [one.lease for one in self.processes if one.lease is not None]

    def start(self, kind: str, **values: Any) -> Lease:
        """Give a job to an idle process: one that is ready, else one that is still starting, else a new one.

        Raises:
            StudyError: none is idle.

        """
        idle = (one for one in self.processes if one.lease is None)
        free = sorted(idle, key=lambda one: (one.gone, not one.ready))
        if not free:
            raise StudyError("no worker is idle", "start a job only where `idle` is not 0")
        self._jobs += 1
        stop = self.folder / "stops" / str(self._jobs)
        job = {"job": kind, "number": self._jobs, "folder": str(self.folder), "task": self.task, "device": self.device,
               "stop": str(stop), **values}  # fmt: skip
        one = self._fresh(free[0].number) if free[0].gone else free[0]
        return self._give(one, Lease(self._jobs, job))

    def wait(self, seconds: float) -> list[Answer]:
        """Return what arrived, waiting at most ``seconds`` for the first word."""
        found: list[Answer] = []
        for key, _ in self._selector.select(timeout=max(0.0, seconds)):
            one: Process = key.data
            events = one.read()
            if events is None:
                found += self._died(one)
                continue
            for event in events:
                found += self._said(one, event)
        return found

    def stop(self, lease: Lease) -> None:
        """Ask a job to end at its next step, by a file that its deadline looks for."""
        if not lease.stopped:
            with suppress(OSError):  # a full disk: who asks ends the process in a moment
                Path(lease.job["stop"]).touch()
                lease.stopped = True

    def kill(self, lease: Lease) -> None:
        """End a job by ending its process. A new one takes its place once a job asks for it: starting takes seconds."""
        for one in [p for p in self.processes if p.lease is lease]:
            one.process.kill()
            self._selector.unregister(one.out)
            one.process.wait()
            one.lease, one.gone = None, True

    def close(self) -> None:
        """End all processes."""
        for one in self.processes:
            one.process.kill()
        for one in self.processes:
            one.process.wait()
        self._selector.close()
        self._log.close()

    # -- one process ----------------------------------------------------------------------------------------------

    def _new(self, number: int) -> Process:
        made = Process(number, self._log)
        self._selector.register(made.out, selectors.EVENT_READ, made)
        return made

    def _give(self, one: Process, lease: Lease) -> Lease:
        lease.worker, lease.since = one.number, time.monotonic()
        one.lease = lease
        one.send(lease.job)
        return lease

    def _said(self, one: Process, event: Event) -> list[Answer]:
        if event["event"] == "ready":
            one.ready, self._false_starts = True, 0
            return []
        lease = one.lease
        if event["event"] in ("done", "failed"):
            one.lease = None
        return [Answer(lease, event, one.send)]

    def _replace(self, one: Process) -> tuple[Process, int]:
        self._selector.unregister(one.out)
        code = one.process.wait()
        return self._fresh(one.number), code

    def _fresh(self, number: int) -> Process:
        self.processes[number] = self._new(number)
        return self.processes[number]

    def _died(self, one: Process) -> list[Answer]:
        """Replace a process that ended by itself; its job is tried once more."""
        self._false_starts += not one.ready
        fresh, code = self._replace(one)
        if self._false_starts >= MOST_FALSE_STARTS:
            raise StudyError(
                f"{self._false_starts} worker processes in a row ended before they were ready, with code {code}",
                "workers start with the same Python",
                f"Read {self.folder / 'workers.log'}",
            )
        lease = one.lease
        retried = lease is not None and lease.attempt == 0 and not lease.stopped
        lost = Answer(lease, {"event": "lost", "worker": one.number, "code": code, "retried": retried}, fresh.send)
        if lease is None:
            return [lost]
        if retried:
            lease.attempt = 1
            self._give(fresh, lease)
            return [lost]
        why = f"its worker process ended with code {code} (out of memory?)"
        why = f"{why}, twice" if lease.attempt else why
        return [lost, Answer(lease, {"event": "failed", "why": why, "kind": "Died"}, fresh.send)]


def started(settings: StudySettings) -> Processes:
    """Return the processes of a study, starting."""
    count = worker_count(settings.workers)
    return Processes(count, settings.out / "work", task=settings.user_task, device=settings.device)


def worker_count(asked: int | None) -> int:
    """Return how many processes to run: as asked, else one per core.

    Load does not count: others' work shares the cores with ours, and what ends frees a core for the rest of a study.
    """
    if asked is not None:
        return max(1, asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
