from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from temperance.data import values
from temperance.records.cells import NumberStyle
from temperance.records.moments import DAY_FORMATS, parse_days


def test_numbers_out_of_text() -> None:
    read = values.numbers(pl.Series([" 1", "2 000", "?", "-", "x", "inf", None, "1e3"]))
    np.testing.assert_array_equal(read.values, [1, 2000, np.nan, np.nan, np.nan, np.nan, np.nan, 1000])
    assert read.words.to_list() == ["x"]
    assert read.infinite == 1


def test_decimal_commas() -> None:
    read = values.numbers(pl.Series(["1,5", "1.234,5", "7", "N/A"]), NumberStyle(","))
    np.testing.assert_array_equal(read.values, [1.5, 1234.5, 7, np.nan])


CELLS = [
    "1",
    " -2.5 ",
    "1,234",
    "1.234",
    "1.234,5",
    "1,234.5",
    "",
    "n.a.",
    "1e-3",
    "1,5e3",
    "+4",
    "$1,200",
    "5 %",
    "12€",
]
CELLS += [
    "(3)",
    "3-",
    "\u22123",
    "1 234",
    "1'234",
    "12,34",
    "1.2.3",
    "x",
    "1_0",
    ".5",
    "5.",
    "-,5",
    "2,5 kg",
    "1,23,456",
]


@pytest.mark.parametrize("style", [NumberStyle(d, g, u) for d in ".," for g in (False, True) for u in ("", "$", "%")])
def test_a_column_and_a_request_read_numbers_alike(style: NumberStyle) -> None:
    read = values.numbers(pl.Series([*CELLS, "x"]), style)
    for text, found in zip(CELLS, read.values, strict=False):
        try:
            np.testing.assert_equal(found, style.read(text), err_msg=text)
        except ValueError:
            assert np.isnan(found), text
            assert text.strip() in read.words.to_list()


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("2020-01-02", "iso"),
        ("2020-1-2", "iso"),
        ("2020-01-02 12:30", "iso"),
        ("2020-01-02T12:30:15.25", "iso"),
        ("2020-01-02T12:30:15+02:00", "iso"),
        ("2020-01-02T12:30:15Z", "iso"),
        ("31/12/1999 06:05 PM", "%d/%m/%Y"),
        ("12/31/99", "%m/%d/%y"),
        ("31.12.1999", "%d.%m.%Y"),
        ("Jan 05, 2021", "%b %d, %Y"),
    ],
)
def test_a_column_and_a_request_read_dates_alike(text: str, pattern: str) -> None:
    assert pattern == "iso" or pattern in DAY_FORMATS
    column = values.days(pl.Series([text]), pattern=pattern).values[0]
    assert column == pytest.approx(parse_days(text, pattern=pattern), abs=1e-9)


def test_typed_dates_durations_and_times() -> None:
    assert values.days(pl.Series([dt.date(1970, 1, 3)])).values.tolist() == [2.0]
    assert values.days(pl.Series([dt.datetime(1970, 1, 1, 12)])).values.tolist() == [0.5]
    assert values.numbers(pl.Series([dt.timedelta(minutes=90)])).values.tolist() == [1.5]
    assert values.numbers(pl.Series([dt.time(6, 30)])).values.tolist() == [6.5]


def test_labels_of_numbers_and_truth_values() -> None:
    assert values.labels(pl.Series([1.0, 2.0, None, float("nan"), 0.5])).to_list() == ["1", "2", None, None, "0.5"]
    assert values.labels(pl.Series(["1", "2.0", "NA"])).to_list() == ["1", "2", None]
    assert values.labels(pl.Series(["001", "1"])).to_list() == ["001", "1"]
    assert values.labels(pl.Series(["a", "1"])).to_list() == ["a", "1"]
    assert values.labels(pl.Series([True, False])).to_list() == ["true", "false"]


def test_clean_strips_and_blanks() -> None:
    assert values.clean(pl.Series([" a ", '"b"', "N/A", "", "-", None])).to_list() == ["a", "b", None, None, "-", None]


@pytest.mark.parametrize("style", [NumberStyle(), NumberStyle(","), NumberStyle(",", grouped=True)])
def test_a_number_that_means_missing_is_found_in_each_way_to_write_it(style: NumberStyle) -> None:
    missing = ("-999", "unknown")
    cells = ["-999", "-999.0", "-999,0", " -999 ", "12", "Unknown", "-998", "x", None]
    read = values.numbers(pl.Series(cells), style, missing)
    for cell, value in zip(cells, read.values, strict=True):
        try:
            expected = style.read(cell or "", missing)
        except ValueError:
            expected = np.nan
        np.testing.assert_equal(value, expected)
    assert np.isnan(read.values[[0, 3, 5]]).all()
    assert "x" in read.words.to_list()
    assert "-999" not in read.words.to_list()


def test_such_a_number_is_missing_among_categories_and_labels_too() -> None:
    cells = pl.Series(["-999.0", "-999", "a", "-999x", "999"])
    assert values.clean(cells, ("-999",)).to_list() == [None, None, "a", "-999x", "999"]
    assert values.labels(cells, ("-999",)).to_list() == [None, None, "a", "-999x", "999"]
    assert values.clean(cells).to_list() == cells.to_list()
