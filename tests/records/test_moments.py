from __future__ import annotations

import math

import numpy as np
import pytest

from temperance.records.moments import (
    CLOCK,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    QUARTER,
    date_part,
    days_of_number,
    parse_days,
)

MARCH = 19417.0  # 1 March 2023


@pytest.mark.parametrize(
    ("text", "pattern", "days"),
    [
        ("2023-03-01", "iso", MARCH),
        ("2023-3-1", "iso", MARCH),
        ("2023-03-01 02:00:00 UTC", "iso", MARCH + 2 / 24),
        ("2023-03-01T02:00:00Z", "iso", MARCH + 2 / 24),
        ("2023-03-01 02:00+02:00", "iso", MARCH),
        ("2023-03-01", "%d/%m/%Y", MARCH),  # a full ISO date is one reading everywhere
        ("1 March 2023", "%d %B %Y", MARCH),
        ("1 Mar 2023", "%d %B %Y", MARCH),
        ("1. März 2023", "%d. %B %Y", MARCH),
        ("1 mars 2023", "%d %B %Y", MARCH),
        ("Wed, 01 Mar 2023 12:00:00 GMT", "%d %b %Y", MARCH + 0.5),
        ("2023-03", "%Y-%m", MARCH),
        ("03/2023", "%m/%Y", MARCH),
        ("2023Q2", QUARTER, MARCH + 31),
        ("Q2 2023", QUARTER, MARCH + 31),
        ("20230301", "%Y%m%d", MARCH),
        ("1677628800", EPOCH_SECONDS, MARCH),
        ("1677628800000", EPOCH_MILLISECONDS, MARCH),
        ("13:45", CLOCK, 13.75 / 24),
        ("1:45 pm", CLOCK, 13.75 / 24),
        ("12:00 AM", CLOCK, 0.0),
        ("1:02:33", CLOCK, 3753 / 86400),
        ("26:00", CLOCK, 26 / 24),
        ("2:30.5", CLOCK, 150.5 / 86400),
        ("20230301T1200", "iso", MARCH + 0.5),
        ("1 févr. 2023", "%d %b %Y", MARCH - 28),
    ],
)
def test_moments_by_hand(text: str, pattern: str, days: float) -> None:
    assert parse_days(text, pattern=pattern) == pytest.approx(days, abs=1e-9)


@pytest.mark.parametrize("text", ["", "NA", "-", "0000-00-00", "9999-12-31", "00.00.0000", "0001-01-01"])
def test_days_that_stand_for_none(text: str) -> None:
    assert math.isnan(parse_days(text))
    assert math.isnan(parse_days("never", missing=["never"]))


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("tomorrow", "iso"),
        ("20230301", "iso"),
        ("2023-13-01", "iso"),
        ("31/02/2023", "%d/%m/%Y"),
        ("2023Q5", QUARTER),
        ("12:60", CLOCK),
        ("13:00 PM", CLOCK),
        ("1:00:75", CLOCK),
        ("soon", EPOCH_SECONDS),
    ],
)
def test_what_does_not_fit_is_refused(text: str, pattern: str) -> None:
    with pytest.raises(ValueError):
        parse_days(text, pattern=pattern)


def test_plain_numbers_that_are_days() -> None:
    assert days_of_number(1677628800.0, EPOCH_SECONDS) == MARCH
    assert days_of_number(20230301.0, "%Y%m%d") == MARCH
    assert days_of_number(5.5, "iso") == 5.5
    with pytest.raises(ValueError):
        days_of_number(20231301.0, "%Y%m%d")


def test_parts_of_a_time_of_day() -> None:
    days = np.array([0.0, 0.25, 0.5, np.nan])
    np.testing.assert_allclose(date_part(days, "hours"), [0, 6, 12, np.nan])
    np.testing.assert_allclose(date_part(days, "sin"), [0, 1, 0, np.nan], atol=1e-12)
    np.testing.assert_allclose(date_part(days, "cos"), [1, 0, -1, np.nan], atol=1e-12)
