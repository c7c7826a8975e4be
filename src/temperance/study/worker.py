"""A worker process: one thread, jobs as JSON lines on standard input, events as JSON lines on standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from temperance.records.plain_json import dumps
from temperance.study.copies import become


def main() -> None:
    """Serve jobs until standard input ends. Whatever a user's code prints goes to standard error.

    With pipes as arguments it first makes copies of itself for them; see ``copies.become``.
    """
    said = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    import torch

    torch.set_num_threads(1)
    from temperance.study import jobs
    from temperance.study.runner import Runner

    out = os.fdopen(become(sys.argv[1:], said), "w", encoding="utf-8")
    send(out, {"event": "ready", "pid": os.getpid(), "torch": torch.__version__, "auto": auto_device()})
    runners: dict[str, Runner] = {}

    def say(event: dict[str, Any]) -> dict[str, Any]:
        send(out, event)
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        answer: dict[str, Any] = json.loads(line)
        return answer

    for line in sys.stdin:
        job = json.loads(line)
        key = job["folder"]

        def act(job: dict[str, Any] = job, key: str = key) -> dict[str, Any]:
            if key not in runners:
                runners[key] = Runner(Path(key), task=job.get("task", ""), device=device_of(job))
            done: dict[str, Any] = action(job["job"])(runners[key], job, say)
            return done

        began, used = time.monotonic(), time.process_time()
        done = {**jobs.safe(act), "job": job["job"], "number": job["number"]}
        took = {"wall_seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - used}
        send(out, {**done, **{name: round(value, 4) for name, value in took.items()}})


def action(name: str) -> Any:
    """Return the function of a job; what only the end of a study needs is loaded then."""
    from temperance.study import jobs

    if name == "trial":
        return jobs.trial
    from temperance.study import finish, own

    known = {"audit": finish.audit, "refit": finish.refit, "finish": finish.finish, "export": finish.export}
    return {**known, "pace": own.pace}[name]


def auto_device() -> str:
    """Return what ``--device auto`` is here: a GPU only where this build of torch can use it."""
    from temperance.core import devices

    return devices.best()


def device_of(job: dict[str, Any]) -> str:
    """Return the device of a job."""
    asked = str(job.get("device", "cpu"))
    return auto_device() if asked == "auto" else asked


def send(out: TextIO, event: dict[str, Any]) -> None:
    """Write one event."""
    out.write(dumps(event) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
