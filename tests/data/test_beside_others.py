"""Tables of many kinds of columns are written in many ways: what is read has the right values, or a sentence says why.

The right values are known before the file is written. Others (polars, and pandas among the peers) read each file with
all settings given, which shows that the file says what it should; we read it without any. A column that comes out
otherwise must be named in a sentence that says what is in doubt or why it was left out.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temperance.data import Reading, dates, doubts, evidence, judge, read, values

DAY = dt.datetime(1970, 1, 1)
STYLES = ((".", ""), (".", ","), (",", ""), (",", "."), (",", "\u00a0"), (".", "'"))
NAMES = ("c", "Größe ", 'a "b" ', "x,y;z|", "2019 ")
DATES = (
    *("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y", "%d %B %Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%y"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"),
)
MISSING = ("", "NA", "?", "N/A", "null", "NaN")
WEAK = ("-", "none", "n.a.", "#DIV/0!")  # of numbers and dates alone
TAILS = st.text("abcéßñ,;|\"' \t\n:#-.0", max_size=6)
WORDS = ("word", "flag", "code", "long")
OWN = ("negative", "typo")  # written as others do not take numbers
KINDS = (*("plain", "mixed", "whole", "grouped", "scientific", "unit", *OWN), *("plain", "day", "day", "word", *WORDS))
SILENT = ("is a date; its inputs", "is a time; its inputs", "has decimal commas.")  # no word on what is in doubt


@dataclass(frozen=True)
class Written:
    """A column: its cells, their right values (a number, days since 1970, a text or None), and how it is written."""

    kind: str
    cells: list[str]
    right: list[Any]
    style: tuple[str, str] = (".", "")
    date: str = ""
    unit: str = ""
    absent: str = ""


@dataclass(frozen=True)
class File:
    """A table and how it is written."""

    columns: dict[str, Written]
    separator: str
    encoding: str
    quotes: str
    end: str
    above: str
    trailing: bool
    spaced: bool
    last: bool

    def field(self, text: str) -> str:
        unusual = any(sign in text for sign in (self.separator, '"', "\n", "\r")) or text != text.strip()
        return '"' + text.replace('"', '""') + '"' if unusual or self.quotes == "all" else text

    def text(self) -> str:
        between = self.separator + (" " if self.spaced else "")
        rows = [list(self.columns), *map(list, zip(*(one.cells for one in self.columns.values()), strict=True))]
        lines = [between.join(map(self.field, row)) + (self.separator if self.trailing else "") for row in rows]
        return self.end.join([*([self.above] if self.above else []), *lines, *([""] if self.last else [])])

    def bare(self) -> io.StringIO:
        """Return header and rows as others take them."""
        return io.StringIO(replace(self, above="", end="\n", spaced=False, trailing=False).text())


def number(value: float, digits: int, style: tuple[str, str]) -> str:
    text = f"{value:,.{digits}f}".replace(",", "\0").replace(".", style[0])
    return text.replace("\0", style[1])


def numbers(kind: str, rows: int, rng: np.random.Generator, style: tuple[str, str], unicode: bool) -> Written:
    """Write a column of numbers."""
    digits, scale = int(rng.integers(1, 5)), float(rng.choice([0.3, 40.0, 3000.0, 5e6]))
    if kind in ("whole", "grouped"):
        right = [float(v) for v in rng.integers(-5, 2 + int(10 * scale), rows)]
        style = style if kind == "grouped" else (".", "")
        return Written(kind, [number(v, 0, style) for v in right], right, style)
    if kind == "scientific":
        right = [float(f"{v:.3e}") for v in rng.normal(0, scale, rows)]
        return Written(kind, [f"{v:.3e}".replace(".", style[0]) for v in right], right, (style[0], ""))
    right = [round(float(v), digits) for v in rng.normal(0, scale, rows)]
    if kind == "mixed":
        right = [v if rng.random() < 0.7 else float(round(v)) for v in right]
    cells = [number(v, digits * (kind != "mixed" or v != int(v)), style) for v in right]
    unit = str(rng.choice(["%", "kg", "€"])) if kind == "unit" else ""
    if unit:
        cells = [f"{cell} {unit}" for cell in cells]
    if kind == "negative":
        form = str(rng.choice(["({})", "{}-", "\u2212{}"][: 2 + unicode]))
        cells = [form.format(cell.removeprefix("-")) if cell.startswith("-") else cell for cell in cells]
    if kind == "typo":
        place = int(rng.integers(rows))
        cells[place], right[place] = str(rng.choice(["about 5", "x", "5-6", "see below", "<0.5"])), None
    return Written(kind, cells, right, style, unit=unit)


def others(kind: str, rows: int, rng: np.random.Generator, words: list[str]) -> Written:
    """Write a column of dates, words or codes."""
    if kind == "day":
        form = str(rng.choice(DATES))
        moments = [DAY + dt.timedelta(minutes=int(v)) for v in rng.integers(9000 * 1440, 22_000 * 1440, rows)]
        moments = [one if "%M" in form else one.replace(hour=0, minute=0) for one in moments]
        right = [(one - DAY) / dt.timedelta(days=1) for one in moments]
        return Written(kind, [one.strftime(form) for one in moments], right, date=form)
    known = {
        "word": words, "flag": [["yes", "no"], ["true", "false"], ["m", "f"]][int(rng.integers(3))],
        "code": [f"{v:04d}" for v in range(1, 9)], "long": [f"{10**17 + v}" for v in range(5)],
    }[kind]  # fmt: skip
    cells = [known[int(v)] for v in rng.integers(0, len(known), rows)]
    return Written(kind, cells, list(cells))


def with_holes(made: Written, rng: np.random.Generator) -> Written:
    if rng.random() < 0.5:
        return made
    absent = str(rng.choice(WEAK if made.kind not in WORDS and rng.random() < 0.3 else MISSING))
    lost = rng.random(len(made.cells)) < rng.choice([0.03, 0.3])
    cells = [absent if gone else cell for cell, gone in zip(made.cells, lost, strict=True)]
    right = [None if gone else value for value, gone in zip(made.right, lost, strict=True)]
    return replace(made, cells=cells, right=right, absent=absent)


@st.composite
def files(draw: st.DrawFn) -> File:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, name = draw(st.integers(12, 80)), draw(st.sampled_from(NAMES))
    words = draw(st.lists(TAILS.map(lambda tail: f"w{tail}".strip()), min_size=2, max_size=6, unique_by=_folded))
    style, encoding = draw(st.sampled_from(STYLES)), draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "cp1252")))
    columns = {}
    for i, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))):
        made = others(kind, rows, rng, words) if kind in (*WORDS, "day") else (
            numbers(kind, rows, rng, style, encoding != "cp1252")
        )  # fmt: skip
        columns[f"{name}{i} {kind}"] = with_holes(made, rng)
    answer = [("yes", "no")[int(v)] for v in [0, 1, *rng.integers(0, 2, rows - 2)]]
    columns["y"] = draw(
        st.sampled_from((Written("flag", answer, list(answer)), numbers("plain", rows, rng, style, True)))
    )
    return File(
        {name: columns[name] for name in draw(st.permutations(list(columns)))},
        draw(st.sampled_from((",", ";", "\t", "|"))),
        encoding,
        draw(st.sampled_from(("some", "all"))),
        draw(st.sampled_from(("\n", "\r\n", "\r"))),
        draw(st.sampled_from(("", "", "# written by hand", "A title of the table"))),
        draw(st.sampled_from((False, False, True))),
        draw(st.sampled_from((False, False, True))),
        draw(st.booleans()),
    )


def _folded(word: str) -> str:
    return " ".join(word.casefold().replace("ß", "ss").split())


def as_polars_reads(file: File) -> dict[str, list[Any]]:
    """Read the text with polars, all settings given."""
    frame = pl.read_csv(file.bare(), separator=file.separator, infer_schema=False).fill_null("")
    frame.columns = list(file.columns)  # polars keeps the doubled quotes of names
    return {name: _as_polars(frame[name], one) for name, one in file.columns.items()}


def _as_polars(cells: pl.Series, one: Written) -> list[Any]:
    if one.kind in OWN:  # their texts are compared
        return one.right if cells.to_list() == one.cells else cells.to_list()
    cells = cells.replace({one.absent: None}) if None in one.right else cells
    if one.kind in WORDS:
        return cells.to_list()
    if one.date:
        moments = cells.str.to_datetime(one.date, time_unit="us") if "%M" in one.date else cells.str.to_date(one.date)
        return (moments.cast(pl.Datetime("us")).dt.epoch("us") / 86_400e6).to_list()
    cells = cells.str.strip_suffix(one.unit).str.strip_chars()
    cells = cells.str.replace_all(one.style[1], "", literal=True) if one.style[1] else cells
    return cells.str.replace(one.style[0], ".", literal=True).cast(pl.Float64).to_list()


def as_pandas_reads(file: File) -> dict[str, list[Any]]:
    """Read the text with pandas, all settings given."""
    pandas = pytest.importorskip("pandas")
    found = {}
    for name, one in file.columns.items():
        number = one.kind not in (*WORDS, *OWN, "day", "unit") and one.style[1].isascii()
        frame = pandas.read_csv(
            file.bare(), sep=file.separator, usecols=[name], dtype={} if number else str, keep_default_na=False,
            na_values=[one.absent] if None in one.right and one.kind != "typo" else [], decimal=one.style[0],
            thousands=(one.style[1] or None) if number else None, index_col=False, encoding_errors="strict",
            skip_blank_lines=len(file.columns) > 1,
        )  # fmt: skip
        cells = frame[name]
        if number:
            found[name] = [None if math.isnan(v) else float(v) for v in cells]
        else:
            texts = pl.Series([cell if isinstance(cell, str) else one.absent for cell in cells], dtype=pl.String)
            found[name] = _as_polars(texts, one)
    return found


def as_we_read(reading: Reading, name: str) -> list[Any] | None:
    """Return the values of a column, or None where it is no input."""
    schema, rows = reading.table.schema, reading.table.rows
    if name == schema.target.name:
        return [schema.target.classes[code] if schema.target.classes else float(code) for code in reading.table.target]
    for j, one in enumerate(schema.numeric):
        if (one.source or one.name) == name and one.part in ("", "days"):
            return [None if math.isnan(v) else float(v) for v in rows.numeric[:, j]]
    for j, one in enumerate(schema.categorical):
        if one.name == name:
            return [one.vocabulary[code] if code >= 0 else None for code in rows.categorical[:, j]]
    return None


def same(found: list[Any] | None, right: list[Any]) -> bool:
    """Tell whether all values are right; days to a ten-thousandth of a second."""
    if found is None or len(found) != len(right):
        return False
    pairs = zip(found, right, strict=True)
    return all(a == b or (isinstance(a, float) and isinstance(b, float) and abs(a - b) < 1e-9) for a, b in pairs)


def wrong_without_a_word(file: File) -> dict[str, Any]:
    """Read the file without settings; return the columns that are read otherwise and not named in a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(file.text().encode(file.encoding))
        reading = read(path, target="y")
    wrong = {}
    for name, one in file.columns.items():
        found = as_we_read(reading, name)
        said = [note for note in reading.notes if repr(name) in note and not any(part in note for part in SILENT)]
        said += [item["why"] for item in reading.dropped if item["column"] == name]
        if not same(found, one.right) and not said:
            wrong[name] = (found and found[:5], one.right[:5])
    return wrong


@settings(max_examples=50, deadline=None, derandomize=True)
@given(file=files())
def test_no_value_is_wrong_without_a_word(file: File) -> None:
    assert wrong_without_a_word(file) == {}


@settings(max_examples=30, deadline=None, derandomize=True)
@given(file=files())
def test_long_columns_are_judged_by_samples_alike(file: File) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for room, sizes in {
            judge: {"WHOLE": 20, "LOOK": 10}, evidence: {"REPEATED": 20, "SAMPLE": 10}, dates: {"SAMPLE": 10},
            values: {"LONG": 20, "FEW_TEXTS": 10, "LIKELY": 5}, doubts: {"HEAD": 10},
        }.items():  # fmt: skip
            for size, value in sizes.items():
                patch.setattr(room, size, value)
        assert wrong_without_a_word(file) == {}


@settings(max_examples=30, deadline=None, derandomize=True)
@given(file=files())
def test_polars_reads_the_right_values_with_all_settings(file: File) -> None:
    found = as_polars_reads(file)
    assert {name for name, one in file.columns.items() if not same(found[name], one.right)} == set()


@pytest.mark.peers
@settings(max_examples=100, deadline=None, derandomize=True)
@given(file=files())
def test_pandas_reads_the_right_values_with_all_settings(file: File) -> None:
    found = as_pandas_reads(file)
    assert {name for name, one in file.columns.items() if not same(found[name], one.right)} == set()
