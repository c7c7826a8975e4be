"""Twenty suspicious labels for a person to judge: their answers say how often the check is right."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from temperance.audit.crossfit import wilson
from temperance.records.errors import DataError
from temperance.records.table import Table

SHOWN = 20  # labels that are judged
COLUMNS = 12  # columns of a row that stand beside its label
ENOUGH = 10  # answers from which a share is told
YES = frozenset({"yes", "y", "true", "1", "wrong", "ja", "oui"})
NO = frozenset({"no", "n", "false", "0", "right", "nein", "non"})
HEAD = ("row", "given", "likely", "wrong")


def gallery(examples: list[dict[str, Any]], table: Table) -> list[dict[str, Any]]:
    """Return one line for each suspicious label: its row, the given and the likely answer, room for a yes or no.

    Args:
        examples: of the finding on labels, the most suspicious first.
        table: where the rows are.

    """
    rows = [one for one in examples if "row" in one and "likely" in one][:SHOWN]
    return [
        {**{key: one[key] for key in ("row", "given", "likely")}, "wrong": "", **_cells(table, int(one["row"]))}
        for one in rows
    ]


def _cells(table: Table, row: int) -> dict[str, Any]:
    """Return the first columns of a row, under names that no column of the gallery has."""
    one = table.rows.take(np.array([row]))
    cells: dict[str, Any] = {
        c.name: _day(float(v)) if c.part == "days" else float(v)
        for c, v in zip(table.schema.numeric, one.numeric[0], strict=True)
    }
    words = table.schema.decode(one.categorical)[0]
    cells |= {c.name: w for c, w in zip(table.schema.categorical, words, strict=True)}
    if one.text is not None:
        cells |= {c.name: (cell or "")[:200] for c, cell in zip(table.schema.text, one.text[0], strict=True)}
    return {f"{name}_" if name in HEAD else name: value for name, value in list(cells.items())[:COLUMNS]}


def _day(days: float) -> str:
    """Write days since 1970-01-01 as a date, with the time of day where it has one; a missing one is empty."""
    if not np.isfinite(days):
        return ""
    text = str(np.datetime64(0, "s") + np.timedelta64(round(days * 86_400), "s")).replace("T", " ")
    return text[:10] if text.endswith("00:00:00") else text[:16]


def read_answers(path: str | Path) -> dict[int, bool]:
    """Return row → whether its label is wrong, from a gallery that was filled in; lines without an answer are left out.

    Raises:
        DataError: no such file, no column ``row`` or ``wrong``, or an answer that is neither yes nor no.

    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            text = stream.read(1 << 20)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}", "a CSV file with the columns row and wrong") from error
    try:
        sample = text.split("\n", 1)[0]
        lines = list(csv.DictReader(text.splitlines(), delimiter=";" if sample.count(";") > sample.count(",") else ","))
    except csv.Error as error:
        raise DataError(f"{path.name} is no CSV file: {error}", "a CSV file with the columns row and wrong") from error
    found: dict[int, bool] = {}
    for number, line in enumerate(lines, 2):
        if "row" not in line or "wrong" not in line:
            raise DataError(
                f"{path.name} has the columns {', '.join(k for k in line if k)[:200]}", "row and wrong",
                "Fill in the column 'wrong' of label_review.csv, which `temperance audit --out` writes",
            )  # fmt: skip
        word = (line["wrong"] or "").strip().lower()
        if not word:
            continue
        if word not in YES | NO or not (line["row"] or "").strip().isdecimal():
            raise DataError(f"line {number} of {path.name} says {line['wrong']!r} of row {line['row']!r}", "yes or no")
        found[int(line["row"])] = word in YES
    return found


def precision(answers: Mapping[int, bool], flagged: set[int]) -> dict[str, Any]:
    """Return what answers say of the flagged rows: how many were judged, were wrong, their share and its interval.

    Rows that were judged and are not flagged do not count.
    """
    judged = [wrong for row, wrong in answers.items() if row in flagged]
    if not judged:
        return {}
    low, high = wilson(sum(judged), len(judged))
    return {
        "judged": len(judged),
        "wrong": sum(judged),
        "precision": sum(judged) / len(judged),
        "low": low,
        "high": high,
    }


def sentence(told: Mapping[str, Any]) -> str:
    """Return the answers in words, or an empty string."""
    if not told:
        return ""
    return f" You judged {told['judged']} of them: {told['wrong']} {'was' if told['wrong'] == 1 else 'were'} wrong."
