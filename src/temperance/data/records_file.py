"""JSON and JSON lines: a list of records, a record per line, columns by name, or one of these inside an object."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.data.sheet import frame_of
from temperance.data.text import find_encoding
from temperance.records.errors import DataError

_GAP = re.compile(r"[\s,]*")


@dataclass(frozen=True)
class RecordsFile(Source):
    """A file of records. Records in a record become columns such as ``address.city``."""

    path: Path

    def open(self, scratch: Path) -> Contents:
        encoding, notes = find_encoding(self.path)
        text = self.path.read_text(encoding=encoding)
        frame = self._frame(text)
        if not frame.height:
            raise DataError(
                f"{self.path.name} holds no records", "A list of objects, or one per line", "Check the file"
            )
        return Contents(frame, self.path.stem, fingerprint.of_file(self.path), notes=notes)

    def _frame(self, text: str) -> pl.DataFrame:
        text = text.removeprefix("\ufeff")
        try:
            whole = json.loads(text)
        except json.JSONDecodeError as error:
            one_after_another = _stream(text)
            if one_after_another is not None:
                return _records(one_after_another)
            lines = [line for line in text.splitlines() if line.strip()]
            if len(lines) < 2 or not lines[0].lstrip().startswith(("{", "[")) or not _complete(lines[0]):
                raise self._refuse(error.lineno, error.msg) from error
            return _records(self._lines(text))
        return self._whole(whole)

    def _whole(self, whole: Any) -> pl.DataFrame:
        whole = _inside(whole)
        if isinstance(whole, dict):
            tables = [v for v in whole.values() if isinstance(v, list) and v and isinstance(v[0], (dict, list))]
            lengths = {len(v) for v in whole.values() if isinstance(v, (list, dict))}
            if len(whole) > 1 and len(lengths) == 1 and all(isinstance(v, (list, dict)) for v in whole.values()):
                columns = {str(k): list(v.values()) if isinstance(v, dict) else v for k, v in whole.items()}
                if not any(isinstance(cell, (dict, list)) for v in columns.values() for cell in v[:1]):
                    return frame_of(list(columns), [list(row) for row in zip(*columns.values(), strict=True)])
            if len(tables) != 1:
                return _records([whole])
            whole = tables[0]
        if not isinstance(whole, list):
            raise self._refuse(1, "it is one value")
        return _records(whole)

    def _lines(self, text: str) -> list[Any]:
        rows = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    rows.append(json.loads(line))
                except json.JSONDecodeError as error:
                    raise self._refuse(number, error.msg) from error
        return rows

    def _refuse(self, line: int, why: str) -> DataError:
        return DataError(
            f"{self.path.name} is no JSON table: line {line:,}: {why}",
            "A list of objects, or one object per line", "Correct that line",
        )  # fmt: skip


def _inside(whole: Any) -> Any:
    """Return the table of pandas' forms ``split`` and ``index``, or of an object around the only list of objects."""
    if not isinstance(whole, dict):
        return whole
    names, rows = whole.get("columns"), whole.get("data")
    if isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        return [[str(name) for name in names], *rows]
    cells = list(whole.values())
    numbered = all(key.isdecimal() for key in whole) and all(isinstance(cell, dict) for cell in cells)
    if len(whole) > 1 and numbered and len({tuple(cell) for cell in cells}) == 1:
        return cells
    while isinstance(whole, dict):
        deeper = [cell for cell in whole.values() if isinstance(cell, dict)]
        if any(isinstance(cell, list) for cell in whole.values()) or len(deeper) != 1:
            break
        whole = deeper[0]
    return whole


def _stream(text: str) -> list[Any] | None:
    """Return objects that stand one after another, with commas or blanks between; None where it is anything else."""
    decoder, place, found = json.JSONDecoder(), 0, []
    while place < len(text):
        gap = _GAP.match(text, place)
        place = gap.end() if gap else place
        if place >= len(text):
            break
        try:
            one, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError:
            return None
        if not isinstance(one, dict):
            return None
        found.append(one)
    return found if len(found) > 1 else None


def _complete(line: str) -> bool:
    try:
        json.loads(line)
    except json.JSONDecodeError:
        return False
    return True


def _records(rows: Sequence[Any]) -> pl.DataFrame:
    if rows and all(isinstance(row, list) for row in rows):
        first, *rest = rows
        if all(isinstance(cell, str) for cell in first):
            return frame_of(first, rest)
        return frame_of([f"column_{i + 1}" for i in range(len(first))], rows)
    flat = [_flat(row) if isinstance(row, dict) else {"value": row} for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return frame_of(names, [[row.get(name) for name in names] for row in flat])


def _flat(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{before}{key}.")
        else:
            out[before + str(key)] = json.dumps(value) if isinstance(value, list) else value
    return out
