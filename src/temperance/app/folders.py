"""Finds study folders below one root. Names come from addresses, so nothing outside the root can be reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARKS = ("study.json", "ledger.jsonl")
LIMIT = 500  # studies that are listed


@dataclass(frozen=True)
class Entry:
    """One study folder.

    Attributes:
        name: name of the folder, as it stands in addresses.
        path: the folder.
        state: ``complete``, ``interrupted``, ``running`` (it has no study.json yet) or ``unreadable``.
        target: what is predicted; empty while unknown.
        data: name of the data; empty while unknown.
        changed: time of the last change, in seconds since 1970.

    """

    name: str
    path: Path
    state: str
    target: str = ""
    data: str = ""
    changed: float = 0.0

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


def _is_study(path: Path) -> bool:
    return any((path / mark).is_file() for mark in MARKS)


def _entry(path: Path) -> Entry:
    marks = [path / mark for mark in MARKS if (path / mark).is_file()]
    changed = max((mark.stat().st_mtime for mark in marks), default=0.0)
    if not (path / "study.json").is_file():
        return Entry(path.name, path, "running", changed=changed)
    try:
        document = json.loads((path / "study.json").read_text(encoding="utf-8"))
        data = document.get("data") or {}
        state = document.get("status")
    except (OSError, ValueError, AttributeError):
        return Entry(path.name, path, "unreadable", changed=changed)
    known = state if state in ("complete", "interrupted") else "unreadable"
    return Entry(path.name, path, known, str(data.get("target") or ""), str(data.get("name") or ""), changed)
