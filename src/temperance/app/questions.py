"""Questions that the audit leaves to the owner of the data, and what their answers change about the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temperance.app.project import Project
from temperance.records.finding import state_of

ASKED = ("fix_before_use", "look_at_this")
FINE, DROP, KEEP, GROUP, TIME = "fine", "drop", "keep", "group", "time"
MOST = 12  # columns that one finding asks about
ABOUT_COLUMNS = ("leaks", "identifiers", "personal_data", "missingness")
ABOUT_ROWS = ("grouping", "row_order", "duplicates", "forward_split", "group_leak", "text_duplicates")


@dataclass(frozen=True)
class Question:
    """What one finding asks.

    Attributes:
        key: of the finding and, where it is about one of several columns, of the column.
        column: that it is about; empty where it is about the rows.
        words: key of the question's text.
        options: what may be answered, each with the key of its text.
        answer: what was answered; empty while open.

    """

    key: str
    column: str
    words: str
    options: tuple[str, ...]
    answer: str = ""


def questions(finding: Mapping[str, Any], schema: Mapping[str, Any], project: Project) -> list[Question]:
    """Return what a finding asks; nothing where it found no problem."""
    if state_of(dict(finding)) not in ASKED:
        return []
    check = str(finding["check"])
    if check in ABOUT_COLUMNS:
        found = [_of_column(finding, check, name, project) for name in _columns(finding, schema)]
        if found:
            return found
    if check in ABOUT_ROWS:
        key = str(finding["id"])
        return [Question(key, "", "rows", (FINE, GROUP, TIME), project.answers.get(key, ""))]
    key = str(finding["id"])
    return [Question(key, "", "seen", (FINE,), project.answers.get(key, ""))]


def answered(project: Project, asked: list[Question], form: Mapping[str, str], names: list[str]) -> Project:
    """Return the project as the answers of a form change it.

    Args:
        project: as it was.
        asked: the questions of the page.
        form: ``q.<key>`` holds an answer, ``q.<key>.column`` the column that groups or orders rows.
        names: of the file's columns; no other is taken.

    """
    answers, columns = dict(project.answers), dict(project.columns)
    group, time = project.group, project.time
    for question in asked:
        answer, column = form.get(f"q.{question.key}", ""), form.get(f"q.{question.key}.column", "")
        if answer not in question.options:
            continue
        if answer in (GROUP, TIME) and not question.column and column not in names:
            continue  # the answer lacks its column: it stays open
        answers[question.key] = answer
        chosen = question.column or column
        if answer == DROP:
            columns[chosen] = DROP
        elif question.column and columns.get(chosen) == DROP:
            del columns[chosen]
        if answer == KEEP and question.words == "identifiers":
            columns[chosen] = KEEP
        group = chosen if answer == GROUP else group
        time = chosen if answer == TIME else time
    columns = {name: how for name, how in columns.items() if name not in (group, time)}
    return project.changed(answers=answers, columns=columns, group=group, time=time)


def _of_column(finding: Mapping[str, Any], check: str, column: str, project: Project) -> Question:
    key = f"{finding['id']}/{column}"
    options = (KEEP, DROP, GROUP) if check == "identifiers" else (KEEP, DROP)
    return Question(key, column, check, options, project.answers.get(key, ""))


def _columns(finding: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return the columns of the file that a finding names; an input that is a part of a date is its date."""
    sources = {str(row["name"]): str(row.get("source") or row["name"]) for row in schema.get("columns") or []}
    named = finding.get("evidence", {}).get("columns") or []
    texts = [str(one.get("column", "")) if isinstance(one, dict) else str(one) for one in named]
    return list(dict.fromkeys(sources.get(text, text) for text in texts if text))[:MOST]
