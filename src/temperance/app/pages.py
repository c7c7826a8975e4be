"""The pages: the list of studies, and one study with its progress and the sections of its report."""

from __future__ import annotations

import time
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from temperance.app.folders import Entry
from temperance.records.errors import StudyError
from temperance.report.page import read, sections, stylesheet
from temperance.report.words import Words

WORDS = Words(room="temperance.app")


@cache
def environment() -> Environment:
    """Return the templates of the room; every value in them is escaped."""
    made = Environment(
        loader=PackageLoader("temperance.app"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["say"] = WORDS.say
    made.filters["moment"] = lambda seconds: time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    return made


def listing(entries: tuple[Entry, ...]) -> str:
    """Return the list of studies."""
    return environment().get_template("list.html.j2").render(entries=entries)


def study_page(entry: Entry) -> str:
    """Return one study: its progress, and its report as far as it is written."""
    return environment().get_template("study.html.j2").render(entry=entry, **_report(entry))


def fragments(entry: Entry) -> str:
    """Return the report's sections alone, for a page that is open already."""
    return environment().get_template("fragments.html.j2").render(entry=entry, **_report(entry))


def _report(entry: Entry) -> dict[str, Any]:
    """Return the sections of the report; empty while the study runs, with a message when it cannot be read."""
    if entry.state in ("running", "stopped", "failed"):
        return {"parts": [], "titles": {}, "fault": entry.why or (WORDS.say("report.gone") if entry.is_over else "")}
    try:
        names = frozenset(path.name for path in entry.path.iterdir())
        study, parts = sections(read(entry.path), names=names)
    except StudyError as error:
        return {"parts": [], "titles": {}, "fault": str(error)}
    return {"parts": parts, "titles": {name: study.words.say(f"{name}.title") for name, _ in parts}, "fault": ""}


def style() -> str:
    """Return the report's style sheet with the few rules that the app adds."""
    return stylesheet() + static("app.css")


def static(name: str) -> str:
    """Return a file of the room."""
    return (files("temperance.app") / "static" / name).read_text(encoding="utf-8")
