"""The ledger: every event of a study, one JSON line each, written before it takes effect."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from temperance.records.errors import DataError, StudyError
from temperance.records.plain_json import dumps
from temperance.study.events import EVENTS, Event, from_row

FIRST = '{"event": "study"'  # how every ledger begins


class Ledger:
    """An append-only file; a half-written last line (a killed process, a full disk) is dropped.

    Args:
        path: the file; its folder is made.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._cut_torn_line()
        self._file = path.open("ab", buffering=0)

    def write(self, event: Event) -> None:
        """Append one line.

        Raises:
            DataError: the disk is full; the ledger ends with its last whole line, so the study can go on later.

        """
        line = dumps(event.to_dict()).encode() + b"\n"
        before = os.fstat(self._file.fileno()).st_size
        try:
            self._append(line)
        except OSError as fault:
            self._file.truncate(before)
            raise DataError(
                f"{self.path} could not be written: {fault.strerror or fault}",
                "its disk must have space left",
                f"Free some space, then go on with `temperance study --resume {self.path.parent}`",
            ) from fault

    def close(self) -> None:
        """Flush to disk and close."""
        os.fsync(self._file.fileno())
        self._file.close()

    def _append(self, line: bytes) -> None:
        while line:  # a nearly full disk takes a part
            line = line[self._file.write(line) or 0 :]

    def _cut_torn_line(self) -> None:
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        if data and not data.endswith(b"\n"):
            with self.path.open("rb+") as file:
                file.truncate(data.rfind(b"\n") + 1)


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """Return all lines as they stand.

    Raises:
        StudyError: there is no ledger, or a line in it is not JSON.

    """
    if not path.exists():
        raise StudyError(
            f"there is no {path.name} in {path.parent}",
            "a study folder has one",
            "Give the folder that `temperance study --out` wrote",
        )
    return list(_lines(path))


def read_events(path: Path) -> list[Event]:
    """Return all events of a ledger, those of newer versions left out; see ``read_ledger``."""
    return [event for row in read_ledger(path) if (event := from_row(row)) is not None]


def barely_began(folder: Path) -> bool:
    """Return whether a folder holds a study that ended before its data were read: such a folder may be used again."""
    if (folder / "work/data.json").exists():
        return False
    rows = _of_a_start(folder)
    return rows is not None and {str(row.get("event")) for row in rows} <= {"study", "failed", "lost"}


def holds_nothing(folder: Path) -> bool:
    """Return whether a folder holds a study without any model worth keeping: nothing is lost if it begins anew.

    The same answer for all rows, which each study has in an instant, is no such model.
    """
    rows = _of_a_start(folder)
    if rows is None or not {str(row.get("event")) for row in rows} <= EVENTS.keys():
        return False  # a newer version may have written something of worth
    trials = [row for row in rows if row["event"] == "trial"]
    done = [row for row in trials if row.get("result", {}).get("status", "done") == "done"]
    return all(row.get("spec", {}).get("model") == "Majority" for row in done)


def _of_a_start(folder: Path) -> list[dict[str, Any]] | None:
    """Return the lines of a study that has not come to an end; None where there is none, or what is there is not one's.

    Lines that are not objects make a ledger that is not a study's.
    """
    path = folder / "ledger.jsonl"
    if not path.is_file() or any((folder / name).exists() for name in ("study.json", "bundle")):
        return None
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.read(len(FIRST))
    if not FIRST.startswith(first):
        return None
    try:
        rows = list(_lines(path))
    except StudyError:
        return None
    return rows if all(isinstance(row, dict) for row in rows) else None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line or (number == len(lines) and not text.endswith("\n")):
            continue
        try:
            yield json.loads(line)
        except json.JSONDecodeError as fault:
            raise StudyError(
                f"line {number} of {path} is not JSON: {fault}", "the ledger is written by a study", "Start a new study"
            ) from fault
