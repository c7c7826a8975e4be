"""Which licence the owner of the data declared, and where: told, in a side file, or in a card beside the data."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST = 2**20  # bytes of a side file that are read
TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([^\r\n]+)", re.IGNORECASE)
KEYS = ("license", "licence", "licenses", "licences")
UNKNOWN = frozenset({"", "unknown", "other", "noassertion", "none"})


@dataclass(frozen=True)
class Declared:
    """A declared licence.

    Attributes:
        expression: as it was written, an SPDX expression where all is well.
        source: where it was written, in words; a file by its name.
        others: what other places say instead, as (expression, source).

    """

    expression: str
    source: str
    others: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields, as ``data.licence`` of ``study.json`` holds them."""
        others = [{"expression": expression, "source": source} for expression, source in self.others]
        return {"expression": self.expression, "source": self.source, "others": others}


def declared(told: str | None, data: str | Path | None = None) -> Declared | None:
    """Return the licence that is declared for ``data``; None where nothing says one.

    Asked in this order: what was told; ``FILE.license`` (the REUSE convention) and the tags in ``LICENSE``;
    ``datapackage.json``, ``MANIFEST.toml``, ``MANIFEST.json`` and ``croissant.json``; the front matter of
    ``dataset_card.md`` and ``README.md``. The first answer counts; what others say differently is kept beside it.

    Args:
        told: an expression that the user gave, or None.
        data: file or folder of the data; a name of a bundled set has no side files.

    """
    found: list[tuple[str, str]] = [(told.strip(), "told with --licence")] if told and told.strip() else []
    path = Path(data) if data is not None else None
    if path is not None and path.exists():
        found += list(_beside(path))
    if not found:
        return None
    first, source = found[0]
    others = tuple(one for one in found[1:] if one[0].lower() != first.lower())
    return Declared(first, source, others)


def expression_of(record: Any) -> str | None:
    """Return the expression of ``data.licence``: a string, or a record with its source; None where there is none."""
    if isinstance(record, dict):
        record = record.get("expression")
    return str(record) if record else None


def _beside(path: Path) -> Iterator[tuple[str, str]]:
    folder = path if path.is_dir() else path.parent
    readers: list[tuple[Path, Callable[[str], str]]] = []
    if path.is_file():
        readers += [(path.with_name(f"{path.name}.{end}"), _tag) for end in ("license", "licence")]
    readers += [(folder / name, _tag) for name in ("LICENSE", "LICENCE", "LICENSE.txt", "LICENCE.txt", "LICENSE.spdx")]
    readers += [(folder / name, _json) for name in ("datapackage.json", "MANIFEST.json", "croissant.json")]
    readers += [(folder / "MANIFEST.toml", _toml)]
    readers += [(folder / name, _front) for name in ("dataset_card.md", "README.md")]
    for file, read in readers:
        text = _text(file)
        said = read(text).strip() if text else ""
        if said.lower() not in UNKNOWN:
            yield said, file.name


def _text(file: Path) -> str:
    """Return a small text file; empty where there is none, or what is there is no text."""
    if not file.is_file() or file.stat().st_size > LARGEST:
        return ""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _tag(text: str) -> str:
    found = TAG.search(text)
    return found[1].strip(" */#-\t>") if found else ""


def _json(text: str) -> str:
    try:
        return _of_fields(json.loads(text))
    except (ValueError, RecursionError):
        return ""


def _toml(text: str) -> str:
    try:
        return _of_fields(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return ""


def _of_fields(fields: Any) -> str:
    """Return the licence that a mapping names: a text, a list of them, or records with a name; URLs as they are."""
    if not isinstance(fields, dict):
        return ""
    value = next((fields[key] for key in KEYS if fields.get(key)), "")
    many = value if isinstance(value, list) else [value]
    names = [str(one.get("name") or one.get("id") or "") if isinstance(one, dict) else str(one) for one in many]
    names = [_of_url(name) for name in names if name]
    return names[0] if len(names) == 1 else " AND ".join(f"({name})" for name in names)


def _front(text: str) -> str:
    """Return ``license`` of YAML front matter: one word, or a list of them."""
    block = re.match(r"---\r?\n(.*?)\r?\n---", text, re.DOTALL)
    if block is None:
        return ""
    lines = block[1].splitlines()
    for number, line in enumerate(lines):
        found = re.match(r"licen[sc]e:\s*(.*)$", line)
        if found is None:
            continue
        same = found[1].strip().strip("\"'[]")
        if same:
            return " AND ".join(one.strip().strip("\"'") for one in same.split(",") if one.strip())
        items = []
        for after in lines[number + 1 :]:
            item = re.match(r"\s*-\s*(.+)$", after)
            if item is None:
                break
            items.append(item[1].strip().strip("\"'"))
        return " AND ".join(items)
    return ""


def _of_url(text: str) -> str:
    """Return the SPDX name of an address of the SPDX list or of Creative Commons; other texts as they are."""
    spdx = re.fullmatch(r"https?://spdx\.org/licenses/([A-Za-z0-9.+-]+?)(?:\.html)?/?", text)
    if spdx:
        return spdx[1]
    cc = re.fullmatch(r"https?://creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)/?(?:deed\.\w+|legalcode)?", text)
    if cc:
        return f"CC-{cc[1].upper()}-{cc[2]}"
    zero = re.fullmatch(r"https?://creativecommons\.org/publicdomain/zero/1\.0/?(?:deed\.\w+|legalcode)?", text)
    return "CC0-1.0" if zero else text
