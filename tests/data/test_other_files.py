"""Columns as people have them, beside those of ``test_reading_cases.py``: what they are read as, or what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from temperance.data import read

ROWS = 120
U = np.random.default_rng(0).uniform(1, 1000, ROWS)
ANSWERS = ["yes" if v else "no" for v in np.random.default_rng(1).integers(0, 2, ROWS)]
Cell = Callable[[int, float], str]


def german(text: str) -> str:
    return text.translate(str.maketrans(",.", ".,"))


def opened(path: Path, cells: list[str], sep: str) -> tuple[Any, Any]:
    rows = [f'"{cell}"' if sep in cell else cell for cell in cells]
    body = "\n".join(sep.join((cell, str(i % 7), y)) for i, (cell, y) in enumerate(zip(rows, ANSWERS, strict=True)))
    (path / "a.csv").write_text(f"x{sep}b{sep}y\n{body}\n", encoding="utf-8")
    reading = read(path / "a.csv", target="y")
    columns = reading.table.schema.columns
    return reading, next((column for column in columns if (column.source or column.name) == "x"), None)


NUMBERS: dict[str, tuple[str, Cell, Callable[[int, float], float]]] = {
    "percent": (",", lambda i, v: f"{v / 10:.1f}%", lambda i, v: round(v / 10, 1)),
    "dollars in thousands": (",", lambda i, v: f"${v:.1f}k", lambda i, v: round(v, 1)),
    "euros behind": (",", lambda i, v: f"{v:.2f} €", lambda i, v: round(v, 2)),
    "plus signs": (",", lambda i, v: f"+{v:.2f}", lambda i, v: round(v, 2)),
    "signs and commas": (";", lambda i, v: german(f"{(-1) ** i * v:+.1f}"), lambda i, v: round((-1) ** i * v, 1)),
    "per mille": (",", lambda i, v: f"{v:.1f} ‰", lambda i, v: round(v, 1)),
    "speeds": (",", lambda i, v: f"{v:.0f} km/h", lambda i, v: round(v)),
    "degrees": (",", lambda i, v: f"{v / 30:.1f} °C", lambda i, v: round(v / 30, 1)),
    "areas": (",", lambda i, v: f"{v:.0f} m²", lambda i, v: round(v)),
    "some with thousands": (
        ",",
        lambda i, v: f"{v * 100:,.2f}" if i % 2 else f"{v * 100:.2f}",
        lambda i, v: round(v * 100, 2),
    ),
    "german": (",", lambda i, v: german(f"{v * 100:,.2f}"), lambda i, v: round(v * 100, 2)),
    "swiss": (",", lambda i, v: f"{v * 50:,.2f}".replace(",", "'"), lambda i, v: round(v * 50, 2)),
    "french": (
        ";",
        lambda i, v: f"{v * 50:,.2f}".replace(",", "\u202f").replace(".", ","),
        lambda i, v: round(v * 50, 2),
    ),
    "minus behind": (";", lambda i, v: german(f"{v * 9:,.2f}-"), lambda i, v: -round(v * 9, 2)),
    "brackets": (
        ",",
        lambda i, v: f"({v:.2f})" if i % 3 else f"{v:.2f}",
        lambda i, v: round(v, 2) * (-1 if i % 3 else 1),
    ),
    "points and semicolons": (";", lambda i, v: f"{v:.2f}", lambda i, v: round(v, 2)),
    "commas and tabs": ("\t", lambda i, v: f"{v:.2f}".replace(".", ","), lambda i, v: round(v, 2)),
    "blanks round them": ("\t", lambda i, v: f" {v:.2f} ", lambda i, v: round(v, 2)),
    "three digits": (",", lambda i, v: f"{v / 100 + 1:.3f}", lambda i, v: round(v / 100 + 1, 3)),
    "seventeen digits": (",", lambda i, v: f"{v:.17g}", lambda i, v: v),
    "huge": (",", lambda i, v: f"{v:.2f}e300", lambda i, v: float(f"{v:.2f}e300")),
    "a word for missing": (
        ",",
        lambda i, v: f"{v:.2f}" if i % 5 else "k.A.",
        lambda i, v: round(v, 2) if i % 5 else np.nan,
    ),
    "below a limit": (",", lambda i, v: f"{v:.0f}" if v > 100 else "<5", lambda i, v: round(v) if v > 100 else np.nan),
    "spreadsheet errors": (
        ",",
        lambda i, v: f"{v:.2f}" if i % 4 else "#DIV/0!",
        lambda i, v: round(v, 2) if i % 4 else np.nan,
    ),
    "minutes and seconds": (
        ",",
        lambda i, v: f"{i % 9}:{i % 60:02d}.5",
        lambda i, v: (i % 9 * 60 + i % 60 + 0.5) / 3600,
    ),
    "times of day": (
        ",",
        lambda i, v: f"{i % 12 + 1}:{i % 60:02d} pm",
        lambda i, v: (i % 12 + 1) % 12 + 12 + i % 60 / 60,
    ),
    "days behind the month": (",", lambda i, v: f"Mar {i % 28 + 1}, 2023", lambda i, v: 19417.0 + i % 28),
    "letters of mail": (
        ",",
        lambda i, v: f"Wed, {i % 28 + 1:02d} Mar 2023 12:00:00 +0000",
        lambda i, v: 19417.5 + i % 28,
    ),
    "short years": (",", lambda i, v: f"{i % 28 + 1}-Mar-23 06:00", lambda i, v: 19417.25 + i % 28),
    "zones": (",", lambda i, v: f"2023-03-{i % 28 + 1:02d}T12:00:00+02:00", lambda i, v: 19417 + i % 28 + 10 / 24),
    "moments without signs": (",", lambda i, v: f"202303{i % 28 + 1:02d}T060000", lambda i, v: 19417.25 + i % 28),
    "french months": (",", lambda i, v: f"{i % 28 + 1} févr. 2023", lambda i, v: 19389.0 + i % 28),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_and_dates(tmp_path: Path, name: str) -> None:
    sep, cell, value = NUMBERS[name]
    reading, column = opened(tmp_path, [cell(i, v) for i, v in enumerate(U)], sep)
    assert column is not None
    found = reading.table.rows.numeric[:, reading.table.schema.numeric.index(column)]
    np.testing.assert_allclose(found, [value(i, v) for i, v in enumerate(U)], rtol=1e-12)
    assert not column.unit or any(repr(column.unit) in note for note in reading.notes)


CATEGORIES: dict[str, tuple[Cell, str]] = {
    "ranges": (lambda i, v: f"{i % 9}00-{i % 9}99", ""),
    "addresses": (lambda i, v: f"10.0.{i % 9}.1", ""),
    "scores": (lambda i, v: f"{i % 5}-{i % 3}", ""),
    "grades": (lambda i, v: ("A", "A-", "B+")[i % 3], ""),
    "fractions": (lambda i, v: f"{i % 5}/{i % 7 + 1}", ""),
    "weeks": (lambda i, v: f"2023-W{i % 50 + 1:02d}", ""),
    "feet": (lambda i, v: f"{i % 7}'{i % 5}", ""),
    "lists": (lambda i, v: f"[{i % 3}, {i % 4}]", ""),
    "sets": (lambda i, v: ";".join(map(str, range(i % 4 + 1))), "several values"),
    "kilos and pounds": (lambda i, v: f"{i % 20} {('kg', 'lb')[i % 2]}", "2 units"),
    "two currencies": (lambda i, v: f"{'$€'[i % 2]}{i % 20}", "2 units"),
    "two ways of dates": (
        lambda i, v: f"2023-03-{i % 28 + 1:02d}" if i % 2 else f"{i % 28 + 1:02d}.03.2023",
        "several ways",
    ),
    "two decimal signs": (lambda i, v: f"{i % 30},5" if i % 2 else f"{i % 30}.5", "decimal commas"),
    "footnotes": (lambda i, v: f"{i % 20}{'*' if i % 3 == 0 else ''}", "mixes numbers"),
    "codes of posts": (lambda i, v: f"{i % 30:05d}", "begin with 0"),
    "on and ON": (lambda i, v: ("on", "off", "ON")[i % 3], "'ON'/'on'"),
    "faces": (lambda i, v: ("😀", "😢")[i % 2], ""),
    "two lines": (lambda i, v: f'"{i % 3}\nlines"', ""),
}


@pytest.mark.parametrize("name", CATEGORIES)
def test_categories(tmp_path: Path, name: str) -> None:
    cell, word = CATEGORIES[name]
    reading, column = opened(tmp_path, [cell(i, v) for i, v in enumerate(U)], ",")
    assert column is not None
    assert column.kind == "categorical"
    assert any(word in note for note in reading.notes)
