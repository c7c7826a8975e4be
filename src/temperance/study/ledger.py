"""The ledger: every event of a study, one JSON line each, written before it takes effect."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from temperance.records.errors import DataError, StudyError
from temperance.records.plain_json import dumps
from temperance.study.events import Event, from_row

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
    path = folder / "ledger.jsonl"
    if not path.is_file() or any((folder / name).exists() for name in ("work/data.json", "study.json", "bundle")):
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.read(len(FIRST))
    if not FIRST.startswith(first):
        return False
    try:
        return {str(row.get("event")) for row in _lines(path)} <= {"study", "failed", "lost"}
    except (StudyError, AttributeError):
        return False


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
