"""Read odd files and compare with their right values: ``python benchmarks/odd_files.py [--label first]``.

The right values stand in ``benchmarks/odd`` and were written before the reader was asked. Verdicts:

- ``right``: all values, the rows and the target are right, and refused is what must be refused;
- ``told``: a column is read otherwise, and a sentence on it says both readings and the option for the other;
- ``said``: a column is read otherwise, and a sentence says what was done with it, without the other reading;
- ``refused``: an error in our words for a file that could be read;
- ``WRONG``: values, rows or target are wrong without a word, or an error is not in our words.

Record: ``benchmarks/records/odd_files_LABEL.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.odd.case import Case
from benchmarks.odd.cells import cells
from benchmarks.odd.formats import formats
from benchmarks.odd.layouts import layouts

from temperance.data import read
from temperance.records.errors import TemperanceError

RECORDS = Path(__file__).parent / "records"
SILENT = ("is a date; its inputs", "is a time; its inputs", "has decimal commas.", "The task is")


def values(reading: Any, name: str) -> list[Any] | None:
    """Return a column as it was read: its values, or None where it is no input."""
    schema, rows = reading.table.schema, reading.table.rows
    for j, column in enumerate(schema.numeric):
        if (column.source or column.name) == name and column.part in ("", "days", "hours"):
            return [None if math.isnan(v) else float(v) for v in rows.numeric[:, j]]
    for j, column in enumerate(schema.categorical):
        if (column.source or column.name) == name:
            return [column.vocabulary[code] if code >= 0 else None for code in rows.categorical[:, j]]
    return None


def same(found: list[Any] | None, right: list[Any]) -> bool:
    """Tell whether a column has the right values."""
    if found is None or len(found) != len(right):
        return False
    for one, other in zip(found, right, strict=True):
        if isinstance(one, float) and isinstance(other, (int, float)):
            if not math.isclose(one, other, rel_tol=1e-9, abs_tol=2e-5 / 24):
                return False
        elif one != other:
            return False
    return True


def as_sets(reading: Any, name: str, sets: list[set[str]]) -> bool:
    """Tell whether a column became one yes/no column for each value."""
    schema, rows = reading.table.schema, reading.table.rows
    found: list[set[str]] = [set() for _ in sets]
    for j, column in enumerate(schema.numeric):
        if column.source == name and column.part.startswith("has "):
            for i in np.flatnonzero(rows.numeric[:, j] == 1.0):
                found[i].add(column.part.removeprefix("has "))
    return found == sets


def sentences(reading: Any, name: str) -> list[str]:
    """Return what is said of a column or of the rows."""
    notes = [note for note in reading.notes if repr(name) in note and not any(word in note for word in SILENT)]
    notes += [note for note in reading.notes if note.startswith(("The file is not UTF-8", "Some texts hold quotes"))]
    return notes + [item["why"] for item in reading.dropped if item["column"] == name]


def of_column(reading: Any, name: str, rights: list[list[Any]]) -> tuple[str, str]:
    """Return verdict and what was read."""
    found = values(reading, name)
    if any(same(found, right) for right in rights):
        return "right", ""
    said = sentences(reading, name)
    shown = f"{name!r}: {'no input' if found is None else found[:4]}, right {rights[0][:4]}; {' '.join(said)[:300]}"
    both = any(
        "If letters" in note or "is written twice" in note or "--column" in note or "--keep" in note or "--drop" in note
        for note in said
    )
    return ("told" if both else "said" if said else "WRONG"), shown


def judge(case: Case, folder: Path) -> tuple[str, str]:
    """Read one file and compare."""
    path = case.write(folder)
    try:
        reading = read(path, target=case.target)
    except TemperanceError as error:
        return ("right" if case.refused else "refused"), f"{error.received} | {error.remedy}"
    except Exception as error:  # whatever comes out that is not ours is a finding
        return "WRONG", f"{type(error).__name__}: {error}"
    if case.refused and not case.right:
        return "WRONG", f"was read, {len(reading.table)} rows"
    target = reading.table.schema.target
    answers = [target.classes[code] for code in reading.table.target] if target.classes else list(reading.table.target)
    rows = [note for note in reading.notes if " row" in note or " line" in note]
    options = [case.right, *case.or_else]
    if len({len(column) for column in case.right.values()} | {len(answers)}) > 1 or answers != case.answers:
        lengths = {len(next(iter(option.values()))) for option in options if option}
        if len(answers) not in lengths or answers != case.answers:
            return (
                "said" if rows else "WRONG"
            ), f"rows {len(answers)}, right {len(case.answers)}; {' '.join(rows)[:200]}"
    order = ("WRONG", "said", "told", "right")
    tried = [[of_column(reading, name, [option[name]]) for name in option] for option in options]
    found = max(tried, key=lambda one: min((order.index(verdict) for verdict, _ in one), default=3))
    for name, sets in case.sets.items():
        if not as_sets(reading, name, sets):
            said = sentences(reading, name)
            both = any("--column" in note for note in said)
            found.append(
                ("told" if both else "said" if said else "WRONG", f"{name!r}: no sets; {' '.join(said)[:200]}")
            )
    for name in case.dropped:
        if values(reading, name) is not None and not sentences(reading, name):
            found.append(("WRONG", f"{name!r} is an input"))
    verdict = min((verdict for verdict, _ in found), key=order.index, default="right")
    return verdict, " · ".join(words for one, words in found if one != "right")


def main() -> None:
    """Read all files and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label", default="now")
    parser.add_argument("--only", default="", help="part of a kind or name")
    given = parser.parse_args()
    rows = []
    for case in (*cells(), *layouts(), *formats()):
        if given.only not in f"{case.kind}: {case.name}":
            continue
        with tempfile.TemporaryDirectory() as folder:
            verdict, words = judge(case, Path(folder))
        rows.append({"kind": case.kind, "name": case.name, "verdict": verdict, "words": words})
        if verdict != "right":
            print(f"{verdict:8} {case.kind}: {case.name} — {words}")
    counts = Counter(row["verdict"] for row in rows)
    answered = (counts["right"] + counts["told"]) / max(1, len(rows))
    record = {
        "benchmark": "odd_files",
        "command": f"python benchmarks/odd_files.py --label {given.label}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": len(rows),
        "kinds": len({row["kind"] for row in rows}),
        "counts": dict(counts),
        "right_or_told": round(answered, 4),
        "rows": rows,
    }
    print(json.dumps({key: value for key, value in record.items() if key != "rows"}))
    if not given.only:
        (RECORDS / f"odd_files_{given.label}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
