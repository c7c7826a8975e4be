"""The ledger: every decision and result of a study, one JSON line each, written before it takes effect."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from temperance.records.errors import StudyError


class Ledger:
    """An append-only file; a half-written last line (a killed process) is dropped when it is read again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._cut_torn_line()
        self._file = path.open("a", encoding="utf-8")

    def write(self, event: str, **values: Any) -> None:
        """Append one line and flush it to the operating system."""
        self._file.write(json.dumps({"event": event, **values}, allow_nan=True, default=_plain) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Flush to disk and close."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _cut_torn_line(self) -> None:
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        if data and not data.endswith(b"\n"):
            self.path.write_bytes(data[: data.rfind(b"\n") + 1])


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """Return all lines.

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


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} does not go into a ledger")
