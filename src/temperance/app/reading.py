"""What was read from a project's file, as its page shows it: column by column, with what can be doubted."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from temperance.app.project import Project, home, source_path
from temperance.app.wording import dated, written
from temperance.data import read
from temperance.data.choices import parse_option
from temperance.data.reading import Reading
from temperance.data.source import source_of
from temperance.records.atomic import write_text
from temperance.records.errors import SettingError, TemperanceError
from temperance.records.plain_json import dumps

FILE = "reading.json"
LOOKED_AT = 200  # rows of which examples are shown
EXAMPLES, LETTERS = 3, 40
_OPTION = re.compile(r"--column '(?P<option>.+?)'(?=[.;,)]|$)", re.DOTALL)
_TELLING = ("target", "label", "class", "outcome", "churn", "result", "answer", "y", "ziel", "klasse")
Seen = dict[str, Any]


def seen(project: Project, folder: Path, root: Path) -> Seen:
    """Return what was read; the file is read again only if a decision has changed.

    The answer is ``{"key", "error", "names", "suggested", "columns", "notes", …}``; ``error`` holds the three parts of
    a message where the file cannot be used so.
    """
    kept = home(folder) / FILE
    row = _kept(kept)
    if row.get("key") == project.key:
        return row
    found = {"key": project.key, **look(project, folder, root)}
    home(folder).mkdir(parents=True, exist_ok=True)
    write_text(kept, dumps(found))
    return found


def look(project: Project, folder: Path, root: Path) -> Seen:
    """Read the file of a project.

    Returns:
        Names of the columns even where the rest cannot be read, so that another target can be chosen.

    """
    found: Seen = {"error": None, "names": [], "columns": [], "notes": [], "suggested": "", "images": None}
    data = source_path(project.source, folder, root)
    source = data if data.startswith("sklearn:") else root / data
    try:
        with tempfile.TemporaryDirectory(prefix="temperance-app-", ignore_cleanup_errors=True) as scratch:
            place = Path(scratch)
            contents = source_of(source, choices=project.choices).open(place)
            examples = _examples(contents.frame)
            images = None if contents.images is None else list(contents.images.shape)
            found |= {"names": list(contents.names), "images": images}
            fixed = contents.target
            found["suggested"] = project.target or fixed or suggest(list(contents.names), contents.frame)
            reading = read(
                source, target=found["suggested"] or None, task=project.task, group=project.group or None,
                time=project.time or None, weight=project.weight or None, workdir=place / "read",
                choices=project.choices,
            )  # fmt: skip
    except TemperanceError as error:
        return found | {"error": [error.received, error.accepted, error.remedy]}
    return found | {"fixed": bool(fixed)} | _told(reading, examples)


def suggest(names: list[str], frame: Any) -> str:
    """Return the column that is most likely to be predicted: one with a telling name, else the last with few values."""
    for name in names:
        if name.strip().lower() in _TELLING:
            return name
    head = frame.lazy().head(LOOKED_AT).collect() if names else None
    for name in reversed(names):
        if head is not None and 2 <= head[name].drop_nulls().n_unique() <= max(2, len(head) // 10):
            return name
    return names[-1] if names else ""


def alternatives(doubts: list[str]) -> list[str]:
    """Return the other readings that sentences of doubt name, as ``--column`` takes them, without the column."""
    found: dict[str, None] = {}
    for doubt in doubts:
        for match in _OPTION.finditer(doubt):
            try:
                name, _ = parse_option(match["option"])
            except SettingError:
                continue
            found[match["option"][len(name) + 1 :]] = None
    return list(found)


def plain(sentence: str) -> str:
    """Return a note without the sentences about the command line: the page has buttons for these."""
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z])", sentence)
    return " ".join(part for part in parts if not re.search(r"(^|[\s(])--[a-z]", part))


def _kept(path: Path) -> Seen:
    """Return what was read before; empty where nothing was, or the file is damaged."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return row if isinstance(row, dict) else {}


def _told(reading: Reading, examples: dict[str, list[str]]) -> Seen:
    schema = reading.table.schema
    why = {item["column"]: item["why"] for item in reading.dropped if item["column"] is not None}
    columns = []
    for reader in reading.readers:
        row = reader.to_dict()
        told = {
            "others": alternatives(row["doubts"]), "how": written(reader.choice()), "why": why.get(reader.name, ""),
            "doubts": [dated(plain(doubt)) for doubt in row["doubts"]], "examples": examples.get(reader.name, []),
            "is_target": reader.name == schema.target.name,
        }  # fmt: skip
        columns.append(row | told)
    doubts = {doubt for reader in reading.readers for doubt in reader.doubts}
    notes = [dated(plain(note)) for note in reading.notes if note not in doubts]
    lost = [f"{item['rows']:,} rows were left out. {item['why']}" for item in reading.dropped if item["rows"]]
    summary = reading.profile.get("target") or {}
    return {
        "rows": len(reading.table), "target": schema.target.name, "task": schema.target.task,
        "classes": list(schema.target.classes)[:50], "columns": columns, "notes": [*filter(None, notes), *lost],
        "summary": summary, "toml": reading.to_toml(),
    }  # fmt: skip


def _examples(frame: pl.DataFrame | pl.LazyFrame) -> dict[str, list[str]]:
    head = frame.lazy().head(LOOKED_AT).collect()
    found = {}
    for name in head.columns:
        values = head[name].drop_nulls().unique(maintain_order=True).head(EXAMPLES).to_list()
        found[name] = [str(value)[:LETTERS] for value in values]
    return found
