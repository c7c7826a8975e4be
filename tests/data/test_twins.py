"""A whole column and a single cell are read alike, whatever the text."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from temperance.data import values
from temperance.data.encode import category_codes
from temperance.records.cells import NumberStyle
from temperance.records.moments import PATTERNS
from temperance.records.rows import category_code, number_of
from temperance.records.schema import MISSING, Column

NUMBERS = st.text("0123456789.,-+eE '()$%\u2212\u00a0", max_size=12)
DATES = st.text("0123456789-/.: TZQ", max_size=16)
DAYS = st.datetimes().map(lambda moment: moment.isoformat(sep=" "))
STYLES = st.builds(NumberStyle, st.sampled_from(".,"), st.booleans(), st.sampled_from(("", "$", "%")))


def alike(column: Column, cells: list[str], read: values.Numbers) -> None:
    for cell, found in zip(cells, read.values, strict=True):
        try:
            alone = number_of(column, cell)
        except (ValueError, OverflowError):
            alone = np.nan
        alone = alone if np.isfinite(alone) else np.nan
        np.testing.assert_allclose(found, alone, rtol=0, atol=1e-6 if column.part else 0, err_msg=repr(cell))


@settings(max_examples=150, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=8), STYLES)
def test_numbers(cells: list[str], style: NumberStyle) -> None:
    column = Column("x", "numeric", format=style.form, unit=style.unit)
    alike(column, cells, values.numbers(pl.Series(cells), style))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(DATES, DAYS), min_size=1, max_size=6), st.sampled_from(PATTERNS))
def test_moments(cells: list[str], pattern: str) -> None:
    column = Column("x", "numeric", part="days", format=pattern)
    alike(column, cells, values.days(pl.Series(cells), pattern=pattern))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=4), min_size=1, max_size=8), st.lists(st.text(min_size=1, max_size=3), max_size=4))
def test_categories(cells: list[str], words: list[str]) -> None:
    known = sorted({word.strip() for word in words if word.strip()})
    column = Column("x", "categorical", vocabulary=tuple(known))
    codes = category_codes(pl.Series(cells, dtype=pl.String), column)
    assert [category_code(column, cell) for cell in cells] == codes.tolist()
    assert category_codes(pl.Series([None], dtype=pl.String), column).tolist() == [MISSING]
