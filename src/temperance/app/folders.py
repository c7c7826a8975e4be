"""Finds study folders below one root. Names come from addresses, so nothing outside the root can be reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temperance.study.lock import owner_of

MARKS = ("study.json", "ledger.jsonl")
LIMIT = 500  # studies that are listed
TAIL = 1 << 16  # bytes in which the last line of a ledger lies, where it says why a study failed


@dataclass(frozen=True)
class Entry:
    """One study folder.

    Attributes:
        name: name of the folder, as it stands in addresses.
        path: the folder.
        state: ``complete``, ``interrupted``, ``running``, ``failed`` (its ledger ends with the reason), ``stopped``
            (its process is gone without a word) or ``unreadable``.
        target: what is predicted; empty while unknown.
        data: name of the data; empty while unknown.
        changed: time of the last change, in seconds since 1970.
        why: why it failed; empty for any other.

    """

    name: str
    path: Path
    state: str
    target: str = ""
    data: str = ""
    changed: float = 0.0
    why: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state != "running"

    def to_dict(self) -> dict[str, Any]:
        """Return what may be shown; the path stays here."""
        return {
            "name": self.name,
            "state": self.state,
            "target": self.target,
            "data": self.data,
            "changed": self.changed,
        }


@dataclass(frozen=True)
class Studies:
    """The studies directly below ``root``, or ``root`` itself where it is one."""

    root: Path

    def entries(self) -> tuple[Entry, ...]:
        """Return all studies, the latest first."""
        found = [_entry(path) for path in self._folders()]
        return tuple(sorted(found, key=lambda entry: -entry.changed)[:LIMIT])

    def find(self, name: str) -> Entry | None:
        """Return the study of a name that was listed; None for any other."""
        return next((_entry(path) for path in self._folders() if path.name == name), None)

    def _folders(self) -> list[Path]:
        root = self.root.resolve()
        if _is_study(root):
            return [root]
        try:
            inside = sorted(root.iterdir())
        except OSError:
            return []
        return [path for path in inside if path.is_dir() and not path.is_symlink() and _is_study(path)]


def over(path: Path) -> bool:
    """Return whether the study of a folder is over: it has its result, or nobody works on it any more."""
    return _entry(path).is_over


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


def _is_study(path: Path) -> bool:
    return any((path / mark).is_file() for mark in MARKS)


def _entry(path: Path) -> Entry:
    marks = [path / mark for mark in MARKS if (path / mark).is_file()]
    changed = max((mark.stat().st_mtime for mark in marks), default=0.0)
    owner = owner_of(path)
    if owner is not None and owner.is_alive:
        return Entry(path.name, path, "running", changed=changed)
    if not (path / "study.json").is_file():
        why = last_failure(path / "ledger.jsonl")
        state = "failed" if why else "running" if owner is None else "stopped"
        return Entry(path.name, path, state, changed=changed, why=why)
    try:
        document = json.loads((path / "study.json").read_text(encoding="utf-8"))
        data = document.get("data") or {}
        state = document.get("status")
    except (OSError, ValueError, AttributeError):
        return Entry(path.name, path, "unreadable", changed=changed)
    known = state if state in ("complete", "interrupted") else "unreadable"
    return Entry(path.name, path, known, str(data.get("target") or ""), str(data.get("name") or ""), changed)
