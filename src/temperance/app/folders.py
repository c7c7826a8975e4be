"""Finds studies and projects below one root, and says how each stands. Nothing outside the root can be reached."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from temperance.app.jobs import Job, collect
from temperance.app.places import Place
from temperance.app.project import FILE, HOME, Project, home, load
from temperance.report.words import Words
from temperance.study.lock import owner_of

MARKS = ("study.json", "ledger.jsonl", f"{HOME}/{FILE}")
LIMIT = 500  # studies that are listed
TAIL = 1 << 16  # bytes in which the last line of a ledger lies, where it says why a study failed
RUNS = ("queued", "running")
WORDS = Words(room="temperance.app")


@dataclass(frozen=True)
class Entry:
    """One study folder.

    Attributes:
        name: name of the folder, as it stands in addresses.
        path: the folder.
        state: ``draft`` (no study was asked for), ``queued``, ``running``, ``complete``, ``interrupted`` (stopped
            early, with its best so far), ``failed`` (with the reason), ``stopped`` (ended without a result) or
            ``unreadable``.
        target: what is predicted; empty while unknown.
        data: name of the data; empty while unknown.
        changed: time of the last change, in seconds since 1970.
        why: why it failed or stopped; empty for any other.
        project: what the app keeps of it; None for a study that was made elsewhere.

    """

    name: str
    path: Path
    state: str
    target: str = ""
    data: str = ""
    changed: float = 0.0
    why: str = ""
    project: Project | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state not in RUNS

    @property
    def has_result(self) -> bool:
        """Whether there is a ``study.json`` to report."""
        return self.state in ("complete", "interrupted")

    @property
    def job(self) -> Job:
        """The process of its study, where the app started it."""
        return Job(home(self.path), "study")

    def to_dict(self) -> dict[str, Any]:
        """Return what may be shown; the path stays here."""
        return {
            "name": self.name, "state": self.state, "target": self.target, "data": self.data, "changed": self.changed,
            "why": self.why,
        }  # fmt: skip


@dataclass(frozen=True)
class Studies:
    """The studies directly below ``root``, and ``root`` itself where it is one."""

    root: Path

    @property
    def place(self) -> Place:
        """The folder, as what names are looked up in."""
        return Place(self.root)

    def entries(self) -> tuple[Entry, ...]:
        """Return all studies, the latest first."""
        found = [self._entry(path) for path in self._folders()]
        return tuple(sorted(found, key=lambda entry: -entry.changed)[:LIMIT])

    def find(self, name: str) -> Entry | None:
        """Return the study of a name that was listed; None for any other."""
        return next((self._entry(path) for path in self._folders() if path.name == name), None)

    def _folders(self) -> list[Path]:
        root = self.root.resolve()
        try:
            inside = sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
        except OSError:
            return []
        return [path for path in (root, *inside) if self._marks(path)]

    def _marks(self, path: Path) -> list[Path]:
        """Return the files that make a folder a study; a link that leads out of the root makes none."""
        return [path / mark for mark in MARKS if (path / mark).is_file() and self.place.within(path / mark)]

    def _entry(self, path: Path) -> Entry:
        marks = self._marks(path)
        changed = max((mark.stat().st_mtime for mark in marks), default=0.0)
        project = load(path) if path / MARKS[2] in marks else None
        told = Entry(path.name, path, "draft", changed=changed, project=project)
        if project is not None:
            told = replace(told, target=project.target, data=project.title)
        owner = owner_of(path)
        collect()
        if (owner is not None and owner.is_alive) or told.job.is_alive:
            return replace(told, state="running")
        if project is not None and project.asked and told.job.card is None:
            return replace(told, state="queued")
        if path / "study.json" not in marks:
            state, why = _end(told, path / "ledger.jsonl" in marks)
            return replace(told, state=state, why=why)
        why = why_ended(told.job) if "error" in told.job.outcome else ""  # it was to go on, and could not
        document = _document(path / "study.json", (path / "study.json").stat().st_mtime_ns)
        told = replace(told, why=why, **document)
        return told if project is None else replace(told, data=project.title)


def over(studies: Studies, name: str) -> bool:
    """Return whether a study is over: it has its result, or nobody works on it any more."""
    entry = studies.find(name)
    return entry is None or entry.is_over


def last_failure(ledger: Path) -> str:
    """Return why a study failed, from the last whole line of its ledger; empty where that says something else."""
    try:
        with ledger.open("rb") as file:
            file.seek(max(0, ledger.stat().st_size - TAIL))
            lines = file.read().split(b"\n")[:-1]
        row = json.loads(lines[-1])
        return str(row.get("why") or "no reason was given") if row.get("event") == "failed" else ""
    except (OSError, ValueError, IndexError, AttributeError):
        return ""


def why_ended(job: Job) -> str:
    """Return in words why a command that the app started ended without a result."""
    error = job.outcome.get("error")
    if isinstance(error, dict):
        return str(error.get("message") or error.get("received") or WORDS.say("why.unknown"))
    code = job.code
    if code is None:
        return str(WORDS.say("why.vanished"))
    if code in (130, -signal.SIGINT):
        return str(WORDS.say("why.yours"))
    if code < 0:
        killed = -code == getattr(signal, "SIGKILL", 9)
        return str(WORDS.say("why.killed" if killed else "why.signal", number=-code))
    lines = [line for line in job.complaint.splitlines() if line.strip()]
    return str(WORDS.say("why.code", code=code)) + (f" {lines[-1].strip()}" if lines else "")


def _end(entry: Entry, has_ledger: bool) -> tuple[str, str]:
    """Return the state of a study without a result that nobody works on, and why."""
    told = last_failure(entry.path / "ledger.jsonl") if has_ledger else ""
    if told:
        return "failed", told
    if entry.job.card is None:
        return ("stopped", str(WORDS.say("why.vanished"))) if has_ledger else ("draft", "")
    yours = entry.job.code in (130, -signal.SIGINT)
    return "stopped" if yours else "failed", why_ended(entry.job)


@lru_cache(maxsize=LIMIT)
def _document(path: Path, changed: int) -> dict[str, Any]:
    """Return what the list shows of a ``study.json``; it is read again only when it has changed."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        data = document.get("data") or {}
        state = document.get("status")
    except (OSError, ValueError, AttributeError):
        return {"state": "unreadable"}
    known = state if state in ("complete", "interrupted") else "unreadable"
    told = {"target": str(data.get("target") or ""), "data": str(data.get("name") or "")}
    return {"state": known, **{key: value for key, value in told.items() if value}}
