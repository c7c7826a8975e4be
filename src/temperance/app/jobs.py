"""Commands of Temperance as processes of their own, kept by files: what runs, what it said, how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from temperance.records.atomic import write_text
from temperance.records.plain_json import dumps
from temperance.study.lock import SAME_START, started_at

_TURN = threading.Lock()
SAID = 1 << 16  # bytes of an output that are read
_OURS: dict[Path, subprocess.Popen[bytes]] = {}  # children of this process, by the file that will say how they ended


@dataclass(frozen=True)
class Job:
    """One command of one kind in a folder; its files are ``<kind>.job``, ``.out``, ``.err`` and ``.end``.

    Attributes:
        folder: where the files lie.
        kind: ``study``, ``audit``, ``predict`` or ``serve``.

    """

    folder: Path
    kind: str

    def start(self, arguments: list[str], cwd: Path) -> None:
        """Start ``python -m temperance ARGUMENTS`` in a process group of its own; it outlives the app."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for suffix in ("end", "job"):
            self._path(suffix).unlink(missing_ok=True)
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}  # a file of the folder is data, never a module
        environment.pop("TEMPERANCE_TRACEBACK", None)
        with self._path("out").open("wb") as out, self._path("err").open("wb") as err:
            child = subprocess.Popen(
                [sys.executable, "-m", "temperance", *arguments], cwd=cwd, env=environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
        _OURS[self._path("end")] = child
        row = {"pid": child.pid, "started": _started(child.pid), "arguments": arguments}
        write_text(self._path("job"), dumps(row))

    @property
    def card(self) -> dict[str, Any] | None:
        """What was started; None where nothing was."""
        return _read(self._path("job"))

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        card = self.card
        if card is None:
            return False
        collect()
        # A child of ours runs until its exit status is there: its first thread is a zombie a little earlier.
        return self._path("end") in _OURS or _same(int(card["pid"]), float(card["started"]))

    @property
    def has_ended(self) -> bool:
        """Whether it was started and runs no more."""
        return self.card is not None and not self.is_alive

    @property
    def outcome(self) -> dict[str, Any]:
        """The JSON object that it printed; empty where it printed none."""
        for line in reversed(_tail(self._path("out")).splitlines()):
            with suppress(ValueError):
                row = json.loads(line)
                return row if isinstance(row, dict) else {}
        return {}

    @property
    def code(self) -> int | None:
        """Its exit status, below 0 for a signal; None while it runs, and where the app did not see its end."""
        collect()
        end = _read(self._path("end"))
        return None if end is None else int(end["code"])

    @property
    def complaint(self) -> str:
        """What it wrote about an error, or its last words."""
        return _tail(self._path("err")).strip()[-2000:]

    def stop(self) -> bool:
        """Ask it to end as Ctrl-C does; return whether it ran."""
        card = self.card
        if card is None or not self.is_alive:
            return False
        interrupt(int(card["pid"]), group=True)
        return True

    def forget(self) -> None:
        """Remove its files."""
        for suffix in ("job", "out", "err", "end"):
            self._path(suffix).unlink(missing_ok=True)

    def _path(self, suffix: str) -> Path:
        return self.folder / f"{self.kind}.{suffix}"


def collect() -> None:
    """Collect children that ended, and note how, so that none stays behind as a dead entry of the system."""
    with _TURN:
        for path, child in list(_OURS.items()):
            code = child.poll()
            if code is not None:
                del _OURS[path]
            if code is not None and path.parent.is_dir():
                write_text(path, dumps({"code": code}))


def interrupt(pid: int, *, group: bool) -> None:
    """Send a process, or its group, what Ctrl-C sends."""
    with suppress(ProcessLookupError):
        if group and hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGINT)
        else:
            os.kill(pid, signal.SIGINT)


def _same(pid: int, started: float) -> bool:
    try:
        alive = psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        return bool(alive and abs(started_at(pid) - started) < SAME_START)
    except psutil.Error:
        return False


def _started(pid: int) -> float:
    try:
        return started_at(pid)
    except psutil.Error:
        return 0.0


def _read(path: Path) -> dict[str, Any] | None:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return row if isinstance(row, dict) else None


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - SAID))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
