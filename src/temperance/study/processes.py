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
from temperance.study.copies import Copy, end
from temperance.study.settings import StudySettings
from temperance.study.workers import Answer, Event, Lease, Workers

MOST_FALSE_STARTS = 3  # workers in a row that end before they are ready
COPIES = sys.platform == "linux"  # elsewhere a process that has loaded much is not safe to copy


class Process:
    """One worker process and the job that it holds; ``gone``: it was ended, and its place is free for a new one.

    Args:
        number: of the worker.
        process: the system's, or a copy of the first worker.
        pipes: what it reads, what it says.

    """

    def __init__(self, number: int, process: subprocess.Popen[bytes] | Copy, *pipes: IO[bytes]) -> None:
        self.number, self.process = number, process
        self._in, self.out = pipes
        self.lease: Lease | None = None
        self.ready = self.gone = False
        self._rest = b""
        os.set_blocking(self.out.fileno(), False)

    def send(self, message: Event) -> None:
        """Write one line; one that is gone does not hear it, which ``read`` will tell."""
        try:
            self._in.write(dumps(message).encode() + b"\n")
            self._in.flush()
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

    def end(self) -> None:
        """End it, and wait until it has ended."""
        if isinstance(self.process, Copy) and self.process.pid is None:
            self._until_known(self.process)
        self.process.kill()
        self.process.wait()

    def _until_known(self, copy: Copy) -> None:
        """Wait until a copy that is being made says who it is, or will never be made."""
        os.set_blocking(self.out.fileno(), True)
        said = self._rest + self.out.readline()
        if said:
            copy.known(json.loads(said)["pid"])


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
        self.processes = begun(count, self._log)
        for one in self.processes:
            self._selector.register(one.out, selectors.EVENT_READ, one)

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
            self._selector.unregister(one.out)
            one.end()
            one.lease, one.gone = None, True

    def close(self) -> None:
        """End all processes, copies first."""
        end([one.process for one in self.processes if isinstance(one.process, Copy) and one.ready])
        for one in self.processes:
            one.end()
        self._selector.close()
        self._log.close()

    # -- one process ----------------------------------------------------------------------------------------------

    def _new(self, number: int) -> Process:
        made = begun(1, self._log, first=number)[0]
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
            if one.lease is not None:  # a job that waited for its worker begins now
                one.lease.since = time.monotonic()
            if isinstance(one.process, Copy):
                one.process.known(event["pid"])
            return []
        lease = one.lease
        if event["event"] in ("done", "failed"):
            one.lease = None
        return [Answer(lease, event, one.send)]

    def _replace(self, one: Process) -> tuple[Process, int | None]:
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
                f"{self._false_starts} worker processes in a row ended before they were ready (code {code})",
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
        why = "its worker process ended" + ("" if code is None else f" with code {code}") + " (out of memory?)"
        why = f"{why}, twice" if lease.attempt else why
        return [lost, Answer(lease, {"event": "failed", "why": why, "kind": "Died"}, fresh.send)]


def begun(count: int, log: IO[bytes], *, first: int = 0) -> list[Process]:
    """Start workers: one process that loads what they need and, where the system can, copies itself for the others.

    Loading takes seconds of a core; a copy takes milliseconds, and shares the memory of what was loaded.
    """
    copies = count - 1 if COPIES else 0
    pairs = [(*os.pipe(), *os.pipe()) for _ in range(copies)]  # it reads, we tell it; we hear, it says
    given = [fd for pair in pairs for fd in (pair[0], pair[3])]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    found = []
    for i in range(count - copies):
        process = subprocess.Popen(
            [sys.executable, "-m", "temperance.study.worker", *map(str, given)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            env={**os.environ, **threads}, start_new_session=True, pass_fds=given,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        found.append(Process(first + i, process, process.stdin, process.stdout))
    for fd in given:
        os.close(fd)
    for i, (_, tell, hear, _) in enumerate(pairs):
        found.append(Process(first + count - copies + i, Copy(), os.fdopen(tell, "wb"), os.fdopen(hear, "rb")))
    return found


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
