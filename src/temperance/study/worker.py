"""A worker process: one thread, jobs as JSON lines on standard input, events as JSON lines on standard output."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO


def main() -> None:
    """Serve jobs until standard input ends. Whatever a user's code prints goes to standard error."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    import torch

    torch.set_num_threads(1)
    from temperance.study import jobs
    from temperance.study.bench import Bench

    send(out, {"event": "ready", "torch": torch.__version__})
    benches: dict[str, Bench] = {}

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
            if key not in benches:
                benches[key] = Bench(Path(key), task=job.get("task", ""), device=job.get("device", "cpu"))
            done: dict[str, Any] = action(job["job"])(benches[key], job, say)
            return done

        send(out, {**jobs.safe(act), "job": job["job"], "number": job["number"]})


def action(name: str) -> Any:
    """Return the function of a job; what only the end of a study needs is loaded then."""
    from temperance.study import jobs

    if name == "trial":
        return jobs.trial
    from temperance.study import finish

    return {"audit": finish.audit, "refit": finish.refit, "finish": finish.finish, "pace": finish.pace}[name]


def send(out: TextIO, event: dict[str, Any]) -> None:
    """Write one event."""
    out.write(json.dumps(event, default=_plain) + "\n")
    out.flush()


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} does not go into an event")


if __name__ == "__main__":
    main()
