"""Worker processes and the jobs that they run, from the side of the study. No torch here."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil

from temperance.records.errors import StudyError

Event = dict[str, Any]


class Worker:
    """One process. ``busy`` is the job it runs, or None."""

    def __init__(self, number: int, log: IO[bytes]) -> None:
        self.number = number
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "temperance.study.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            env={**os.environ, **threads}, start_new_session=True,
        )  # fmt: skip
        self.busy: dict[str, Any] | None = None
        self.ready = False
        self._rest = b""
        os.set_blocking(self._out.fileno(), False)

    @property
    def _out(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def send(self, message: dict[str, Any]) -> None:
        """Write one line to the worker."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def read(self) -> list[Event] | None:
        """Return the events that have arrived; None when the worker is gone."""
        data = self._out.read()
        if data == b"" or (data is None and self.process.poll() is not None):
            return None
        self._rest += data or b""
        *lines, self._rest = self._rest.split(b"\n")
        return [json.loads(line) for line in lines if line]


class Pool:
    """N workers. Jobs are started by ``start``; ``wait`` returns events as they come.

    Args:
        count: how many processes.
        folder: the study's ``work`` folder; the workers' standard error goes to ``workers.log`` in it.
        task: ``module:function`` of a user's net, or empty.
        device: where nets are trained.

    """

    def __init__(self, count: int, folder: Path, *, task: str = "", device: str = "cpu") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.task, self.device = folder, task, device
        self._log = (folder / "workers.log").open("ab")
        self.workers = [Worker(i, self._log) for i in range(count)]
        self._selector = selectors.DefaultSelector()
        for worker in self.workers:
            self._selector.register(worker._out, selectors.EVENT_READ, worker)
        self._jobs = 0

    @property
    def idle(self) -> list[Worker]:
        """Workers without a job (they may still be starting: a job waits for them then)."""
        return [worker for worker in self.workers if worker.busy is None]

    @property
    def running(self) -> list[dict[str, Any]]:
        """Jobs that run now."""
        return [worker.busy for worker in self.workers if worker.busy is not None]

    def start(self, kind: str, **values: Any) -> dict[str, Any]:
        """Give a job to an idle worker and return the job."""
        if not self.idle:
            raise StudyError("no worker is idle", "start a job only where `idle` is not empty")
        worker = self.idle[0]
        self._jobs += 1
        job = {
            "job": kind, "number": self._jobs, "folder": str(self.folder), "task": self.task, "device": self.device,
            **values,
        }  # fmt: skip
        worker.busy = {**job, "since": time.monotonic(), "worker": worker.number}
        worker.send(job)
        return worker.busy

    def wait(self, seconds: float) -> list[tuple[dict[str, Any], Event, Callable[[dict[str, Any]], None]]]:
        """Return (job, event, answer) for all that arrived, waiting at most ``seconds`` for the first.

        A worker that died gives a ``failed`` event and is replaced.
        """
        found = []
        for key, _ in self._selector.select(timeout=max(0.0, seconds)):
            worker: Worker = key.data
            events = worker.read()
            if events is None:
                found += self._died(worker)
                continue
            for event in events:
                if event["event"] == "ready":
                    worker.ready = True
                    continue
                job = worker.busy or {}
                if event["event"] in ("done", "failed"):
                    worker.busy = None
                found.append((job, event, worker.send))
        return found

    def _died(self, worker: Worker) -> list[Any]:
        self._selector.unregister(worker._out)
        code, job = worker.process.wait(), worker.busy
        fresh = Worker(worker.number, self._log)
        self.workers[self.workers.index(worker)] = fresh
        self._selector.register(fresh._out, selectors.EVENT_READ, fresh)
        if not worker.ready and job is None:
            raise StudyError(
                f"a worker process ended at once with code {code}",
                "workers start with the same Python",
                f"Read {self.folder / 'workers.log'}",
            )
        if job is None:
            return []
        reason = f"its worker process ended with code {code} (out of memory?)"
        return [(job, {"event": "failed", "why": reason, "kind": "Died"}, fresh.send)]

    def kill_job(self, job: dict[str, Any]) -> None:
        """End a job by ending its worker; a new one takes its place."""
        for worker in list(self.workers):
            if worker.busy is job:
                worker.process.kill()
                worker.busy = None
                self._selector.unregister(worker._out)
                worker.process.wait()
                fresh = Worker(worker.number, self._log)
                self.workers[self.workers.index(worker)] = fresh
                self._selector.register(fresh._out, selectors.EVENT_READ, fresh)

    def close(self) -> None:
        """End all workers."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.wait()
        self._selector.close()
        self._log.close()


def worker_count(asked: int | None) -> int:
    """Return how many processes to run: as asked, else the cores that are free now, at least one."""
    if asked is not None:
        return max(1, asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    load = psutil.getloadavg()[0]
    free = cores - min(load, cores) * 0.5  # half of the load is expected to go on
    return int(max(1, min(cores, round(free))))
