from __future__ import annotations

import pytest

from temperance.report.forms import (
    FORMS,
    Style,
    date,
    day,
    decimals,
    fitted,
    form_named,
    hundred,
    number,
    signed,
    size,
    span,
)
from temperance.report.words import Words

ENGLISH = Style(".", ",", ("January",) * 10 + ("November", "December"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.31, "0.31"),
        (0.0600, "0.06"),
        (54.0, "54"),
        (53.87, "53.9"),
        (123.4, "123"),
        (12345.6, "12,346"),
        (-0.5, "-0.5"),
        (0.00004, "4.0e-05"),
        (0.9996, "1"),
    ],
)
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.94, "94"),
        (1.0, "100"),
        (0.0, "0"),
        (0.997, "99.7"),
        (0.003, "0.3"),
        (0.99999, "99.99"),
        (0.00001, "0.01"),
        (0.9996, "99.96"),
    ],
)
def test_a_share_of_100_is_not_rounded_to_all(value: float, text: str) -> None:
    assert hundred(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.04, "0.04\u202fs"),
        (3.2, "3.2\u202fs"),
        (61, "61\u202fs"),
        (120, "2\u202fmin"),
        (554, "9\u202fmin 14\u202fs"),
        (7260, "2\u202fh 1\u202fmin"),
    ],
)
def test_times(value: float, text: str) -> None:
    assert span(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0\u202fB"), (42_000, "42\u202fkB"), (2.5e6, "2.5\u202fMB"), (8e9, "8\u202fGB")]
)
def test_sizes(value: float, text: str) -> None:
    assert size(value) == text


def test_no_form_flips_a_sign() -> None:
    for name, form in FORMS.items():
        if name not in ("chance", "day"):
            assert form(-2.0).startswith("-"), name
    assert signed(0.5).startswith("+")
    assert signed(-0.5).startswith("-")


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [(0.28, 0.34, 3), (49.0, 59.0, 1), (100, 900, 0), (0.5, 0.5, 4), (186.02, 186.02, 1), (0, 0, 3)],
)
def test_an_interval_sets_the_decimals(low: float, high: float, places: int) -> None:
    assert decimals(low, high) == places


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(1e-49, 9e-49, "4.3e-49"), (0.28, 0.34, "0.000"), (-1e300, 1e300, "4.3e-49")],
)
def test_a_tiny_or_huge_figure_takes_no_row_of_digits(low: float, high: float, text: str) -> None:
    assert form_named(fitted("number", low, high))(4.3e-49) == text


def test_the_largest_numbers_are_written_with_a_power_of_ten() -> None:
    assert number(3e299) == "3.00e+299"
    assert number(3e9) == "3,000,000,000"
    assert form_named(fitted("signed", -1e-49, 9e-49))(4.3e-49) == "+4.3e-49"


def test_days_since_1970_are_dates() -> None:
    assert day(19_787.9) == "2024\u201103\u201105"
    assert day(-1) == "1969\u201112\u201131"
    assert ENGLISH.mark(day(0)) == "1970\u201101\u201101"  # no hyphen becomes a minus
    assert day(1e12) == number(1e12)


def test_forms_with_decimals() -> None:
    assert form_named("fixed:2")(0.5) == "0.50"
    assert form_named("signed_fixed:1")(0.5) == "+0.5"
    assert form_named("percent")(0.938) == "93.8\u202f%"
    assert form_named("chance")(0.0004) == "<\u202f0.001"


def test_a_language_has_its_own_marks() -> None:
    french = Style(",", "\u202f", ("janvier",) * 12)
    assert french.mark("-1,234.5") == "\u22121\u202f234,5"
    assert ENGLISH.mark("-1,234.5") == "\u22121,234.5"


def test_a_german_day_has_its_stop() -> None:
    assert date("2026-11-30T09:00:00Z", Words("de").style) == "30. November 2026"


def test_dates() -> None:
    assert date("2026-11-23T14:05:00+00:00", ENGLISH) == "23 November 2026"
    assert date("yesterday", ENGLISH) == "yesterday"
