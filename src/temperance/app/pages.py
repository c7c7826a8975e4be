"""The pages: templates with the few tools that they share."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from temperance.app.folders import WORDS, Entry
from temperance.app.trying import short
from temperance.app.wording import as_read, describe, means, offered
from temperance.records.durations import words_for_seconds
from temperance.records.errors import StudyError
from temperance.records.finding import STATES, state_of
from temperance.report.page import read, sections, stylesheet

STEPS = ("data", "check", "study", "report", "try", "take", "watch")


@cache
def environment() -> Environment:
    """Return the templates of the room; every value in them is escaped."""
    made = Environment(
        loader=PackageLoader("temperance.app"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {
        "say": WORDS.say, "describe": describe, "means": means, "as_read": as_read, "offered": offered,
        "clock": words_for_seconds,
        "short": short, "steps": STEPS, "open_steps": open_steps, "state_of": state_of,
        "finding_state": lambda row: dict(STATES.items())[state_of(row)],  # type: ignore[index]
    }  # fmt: skip
    made.filters["moment"] = lambda seconds: time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    made.filters["size"] = size
    made.filters["part"] = lambda text: quote(str(text), safe="")
    return made


def page(name: str, **values: Any) -> str:
    """Return a page, or a part of one, from its template."""
    return environment().get_template(f"{name}.html.j2").render(**values)


def open_steps(entry: Entry) -> tuple[str, ...]:
    """Return the steps that can be gone to in this state."""
    found = ["data", "check", "study"] if entry.project is not None else ["study"]
    if entry.has_result:
        found += ["report"]
        found += ["try", "take", "watch"] if (entry.path / "bundle" / "manifest.json").is_file() else ["take"]
    return tuple(found)


def next_step(entry: Entry) -> str:
    """Return the step at which a study is."""
    if entry.has_result:
        return "report"
    return "study" if entry.state != "draft" else "data"


def report_of(entry: Entry) -> dict[str, Any]:
    """Return the sections of the report and their titles, with a message where it cannot be read."""
    try:
        names = frozenset(path.name for path in entry.path.iterdir())
        study, parts = sections(read(entry.path), names=names)
    except StudyError as error:
        return {"parts": [], "titles": {}, "fault": str(error)}
    return {"parts": parts, "titles": {name: study.words.say(f"{name}.title") for name, _ in parts}, "fault": ""}


def size(count: int) -> str:
    """Return a size in words."""
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= one:
            return f"{count / one:.1f} {unit}"
    return f"{count} bytes"


def style() -> str:
    """Return the report's style sheet with the rules that the app adds."""
    return stylesheet() + static("app.css")


def static(name: str) -> str:
    """Return a file of the room."""
    return (files("temperance.app") / "static" / name).read_text(encoding="utf-8")


def counted(findings: list[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many findings have each state."""
    told = dict.fromkeys(STATES, 0)
    for finding in findings:
        told[state_of(dict(finding))] += 1  # type: ignore[index]
    return {str(state): count for state, count in told.items()}
