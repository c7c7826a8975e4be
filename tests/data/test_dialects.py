"""Tables are written in many dialects and read back equal."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temperance.data import read

DAY = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Dialect:
    """How a table is written."""

    separator: str
    decimal: str
    thousands: str
    encoding: str
    quote: str
    end: str
    dates: str
    above: str = ""

    def number(self, value: float) -> str:
        text = f"{value:,.2f}".replace(",", "\0").replace(".", self.decimal)
        return text.replace("\0", self.thousands)

    def field(self, text: str) -> str:
        unusual = any(sign in text for sign in (*self.separator, '"', "\n")) or text != text.strip()
        unusual = unusual or (self.separator == " " and not text)  # blanks in a row are one separator
        if self.quote == "all" or unusual:
            return '"' + text.replace('"', '""') + '"'
        return text

    def write(self, table: dict[str, list[Any]], path: Path) -> None:
        columns = [[self.cell(value) for value in values] for values in table.values()]
        lines = [list(table), *map(list, zip(*columns, strict=True))]
        body = [self.separator.join(map(self.field, line)) for line in lines]
        text = self.end.join([*([self.above.format(sep=self.separator)] if self.above else []), *body, ""])
        path.write_bytes(text.encode(self.encoding))

    def cell(self, value: Any) -> str:
        if isinstance(value, float):
            return self.number(value)
        return value.strftime(self.dates) if isinstance(value, dt.date) else ("" if value is None else str(value))


def dialects() -> list[Dialect]:
    """Return the dialects; what one sign cannot mean at once is left out."""
    found = []
    signs = product(
        (",", ";", "\t", "|", "::", " "), ((".", ""), (".", ","), (",", ""), (",", "."), (",", "\u00a0"), (".", "'"))
    )
    rest = list(
        product(
            ("utf-8", "utf-8-sig", "utf-16", "cp1252"), ("some", "all"), ("\n", "\r\n", "\r"),
            ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y"), ("", "sep={sep}", "A title", "# a comment"),
        )
    )  # fmt: skip
    for i, (separator, (decimal, thousands)) in enumerate(signs):
        for encoding, quote, end, dates, above in rest[(7 * i) % 31 :: 31]:
            if separator in (" ", "::") and ("sep=" in above or " " in dates):
                continue
            if separator == " " and above:  # a title has fields then, as a row has
                continue
            found.append(Dialect(separator, decimal, thousands, encoding, quote, end, dates, above))
    return found


DIALECTS = dialects()
LETTERS = st.text("abcéßñ,;|\"' \t:#-0", max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    rows = draw(st.integers(24, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    words = draw(st.lists(LETTERS.map(lambda tail: f"w{tail}".strip()), min_size=2, max_size=5, unique_by=_folded))
    scale = draw(st.sampled_from((1.0, 50.0, 3000.0, 2e6)))
    holes = draw(st.booleans())
    numbers = [round(float(v), 2) for v in rng.normal(0, scale, rows)]
    numbers[0] = 0.25 + round(scale, 2)
    days = [DAY + dt.timedelta(days=int(v)) for v in rng.integers(9000, 22_000, rows)]
    days[0] = dt.date(2021, 12, 25)  # says which number is the month
    return {
        "amount": [None if holes and i % 9 == 4 else v for i, v in enumerate(numbers)],
        "count": [int(v) for v in rng.integers(-5, 300, rows)],
        "kind": [words[i % len(words)] for i in range(rows)],
        "day": days,
        "y": [("yes", "no")[int(v)] for v in [0, 1, *rng.integers(0, 2, rows - 2)]],
    }


def _folded(word: str) -> str:
    return " ".join(word.casefold().replace("ß", "ss").split())


def test_there_are_forty_dialects_and_more() -> None:
    assert (
        len({(d.separator, d.decimal, d.thousands, d.encoding, d.quote, d.end, d.dates, d.above) for d in DIALECTS})
        > 300
    )
    assert len({(d.separator, d.decimal, d.thousands, d.quote) for d in DIALECTS}) >= 40


@settings(max_examples=60, deadline=None)
@given(table=tables(), dialect=st.sampled_from(DIALECTS))
def test_a_table_is_read_back_equal(table: dict[str, list[Any]], dialect: Dialect) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        dialect.write(table, path)
        reading = read(path, target="y")
    schema, rows = reading.table.schema, reading.table.rows
    numeric = {c.name: rows.numeric[:, j] for j, c in enumerate(schema.numeric)}
    np.testing.assert_array_equal(numeric["amount"], [np.nan if v is None else v for v in table["amount"]])
    np.testing.assert_array_equal(numeric["count"], table["count"])
    np.testing.assert_array_equal(numeric["day"], [(v - DAY).days for v in table["day"]])
    words = np.array(schema.categorical[0].vocabulary)[rows.categorical[:, 0]]
    assert words.tolist() == table["kind"]
    assert [schema.target.classes[code] for code in reading.table.target] == table["y"]


@pytest.mark.parametrize("dialect", DIALECTS[:: len(DIALECTS) // 48], ids=str)
def test_a_target_is_read_back_equal(dialect: Dialect, tmp_path: Path) -> None:
    values = [round(float(v), 2) for v in np.random.default_rng(1).normal(900, 2000, 60)]
    dialect.write({"x": [i % 7 for i in range(60)], "y": values}, tmp_path / "t.csv")
    np.testing.assert_array_equal(read(tmp_path / "t.csv", target="y").table.target, values)
