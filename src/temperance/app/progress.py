"""Follows ``ledger.jsonl`` while a study writes it: whole lines from an offset on, and where to go on from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHUNK = 1 << 18  # bytes read at once
SHOWN = 6  # values of one line that are shown
LETTERS = 160


@dataclass(frozen=True)
class Lines:
    """Entries read, the offset behind the last whole one, and whether more wait."""

    entries: tuple[dict[str, str], ...]
    offset: int
    more: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {"entries": list(self.entries), "offset": self.offset, "more": self.more}


def follow(path: Path, offset: int = 0) -> Lines:
    """Read the whole lines behind ``offset``; a line that is still being written is left for the next call.

    A file that is shorter than ``offset`` was written anew and is read from its start. A missing file has no lines.
    """
    if not path.is_file():
        return Lines((), 0)
    size = path.stat().st_size
    start = offset if 0 <= offset <= size else 0
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(CHUNK)
    end = data.rfind(b"\n") + 1
    if not end and len(data) == CHUNK:  # one line longer than a chunk: passed over, it cannot be shown anyway
        return Lines((), start + CHUNK, True)
    lines = data[:end].split(b"\n")
    entries = tuple(entry for line in lines if line.strip() and (entry := shown(line)) is not None)
    return Lines(entries, start + end, len(data) == CHUNK and start + end < size)


def shown(line: bytes) -> dict[str, str] | None:
    """Return what the page shows of one line: its event and its first short values; None for a damaged line."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    plain = {key: value for key, value in row.items() if key != "event" and isinstance(value, str | int | float)}
    told = [f"{key}: {_short(value)}" for key, value in list(plain.items())[:SHOWN]]
    return {"event": str(row.get("event", "entry"))[:60], "text": ", ".join(told)}


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
