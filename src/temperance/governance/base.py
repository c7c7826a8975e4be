"""The grammar of the room: a card is frozen settings and one verb, ``render``; and how Markdown is written safely."""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

Study = Mapping[str, Any]  # a study.json, read


@dataclass(frozen=True)
class Card(ABC):
    """One document about a study: Markdown with front matter that model and data hubs read, or JSON in a known form.

    Class attributes:
        name: short name, e.g. ``model_card``.
        filename: the file it is written to.
    """

    name: ClassVar[str]
    filename: ClassVar[str]

    @abstractmethod
    def render(self, study: Study) -> str:
        """Return the whole document; what only the owner knows is a visible blank."""

    def write(self, study: Study, folder: str | Path) -> Path:
        """Write the document into ``folder`` (whole or not at all) and return its path."""
        path = Path(folder) / self.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{self.filename}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(self.render(study))
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return path


def escape(value: Any) -> str:
    """Return text that Markdown and HTML show as it is: no markup, no line breaks, no end of a table cell."""
    text = " ".join(str(value).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]|#])", r"\\\1", text)


def code(value: Any) -> str:
    """Return inline code; a fence longer than any run of backticks inside, and no end of a table cell."""
    text = " ".join(str(value).split()).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else "` `"


def block(value: Any, language: str = "") -> str:
    """Return a fenced block; the fence is longer than any run of backticks inside."""
    text = str(value)
    fence = "`" * max(3, max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def blank(question: str) -> str:
    """Return a visible blank for the owner."""
    return f"> **Owner, please answer:** {question}\n>\n> `____________`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table of cells that are already escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value: Any, digits: int = 3) -> str:
    """Return a number as people read it, or ``–`` where there is none."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 1000):
        return f"{int(value):,}"
    return f"{value:.{digits}f}" if abs(value) >= 10 ** (1 - digits) or value == 0 else f"{value:.{digits}g}"


def interval(measurement: Mapping[str, Any] | None) -> str:
    """Return ``0.912 (0.89 to 0.93, n = 400)`` of a measurement, or ``–``."""
    if not measurement:
        return "–"
    text = number(measurement.get("value"))
    parts = []
    if measurement.get("low") is not None and measurement.get("high") is not None:
        parts.append(f"{number(measurement['low'])} to {number(measurement['high'])}")
    if measurement.get("n"):
        parts.append(f"n = {number(measurement['n'])}")
    return f"{text} ({', '.join(parts)})" if parts else text


def bullets(items: Iterable[Any] | None) -> str:
    """Return a Markdown list; empty where there is nothing."""
    return "\n".join(f"- {escape(item)}" for item in items or ())


def front_matter(fields: Mapping[str, Any]) -> str:
    """Return YAML front matter; every string is quoted in the JSON way, which YAML 1.2 reads alike."""
    return "---\n" + "".join(f"{key}: {_yaml(value, 0)}\n" for key, value in fields.items()) + "---"


def _yaml(value: Any, depth: int) -> str:
    pad = "  " * (depth + 1)
    if isinstance(value, Mapping):
        return "".join(f"\n{pad}{key}: {_yaml(item, depth + 1)}" for key, item in value.items()) or "{}"
    if isinstance(value, (list, tuple)):
        return "".join(f"\n{pad}- {_item(item, depth + 1)}" for item in value) or "[]"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False)


def _item(value: Any, depth: int) -> str:
    text = _yaml(value, depth)
    return text.lstrip() if isinstance(value, Mapping) else text
