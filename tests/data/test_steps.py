from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from temperance.data.base import Contents
from temperance.data.steps import (
    clocks_back,
    earlier,
    in_words,
    months_of,
    refuse_shared,
    series_codes,
    shared_rows,
    step_of,
    tells_apart,
)
from temperance.records.errors import DataError

HOUR = 1 / 24


def test_step_of_hours_with_gaps_and_of_months() -> None:
    when = np.arange(100) * HOUR + 15_000
    codes = np.zeros(100, dtype=np.int64)
    kept = np.random.default_rng(0).permutation(100)[:80]
    assert step_of(when[kept], codes[kept]) == pytest.approx(HOUR)
    months = np.arange("2020-01", "2024-01", dtype="datetime64[M]").astype("datetime64[D]").astype(np.float64)
    assert step_of(months, np.zeros(len(months), dtype=np.int64)) == 0.0
    assert step_of(when[:1], codes[:1]) == 0.0


@pytest.mark.parametrize("step", [HOUR, 0.0])
def test_earlier_is_the_row_before_in_the_same_series(step: float) -> None:
    rng = np.random.default_rng(1)
    when = np.tile(np.arange(30) * HOUR, 3) + 15_000
    codes = np.repeat(np.arange(3), 30)
    order = rng.permutation(90)
    when, codes = when[order], codes[order]
    for lag in (1, 7):
        found = earlier(when, codes, lag, step)
        for row in range(90):
            same = np.flatnonzero((codes == codes[row]) & (np.abs(when - (when[row] - lag * HOUR)) < 1e-6))
            assert found[row] == (same[0] if len(same) else -1)


def test_a_gap_has_no_earlier_row_where_steps_are_of_time() -> None:
    when = np.array([0.0, 1.0, 3.0, 4.0, np.nan])
    codes = np.zeros(5, dtype=np.int64)
    assert earlier(when, codes, 1, 1.0).tolist() == [-1, 0, -1, 2, -1]
    assert earlier(when, codes, 1, 0.0).tolist() == [-1, 0, 1, 2, -1]
    assert earlier(when, codes, 9, 0.0).tolist() == [-1] * 5
    assert earlier(when[4:], codes[4:], 1, 1.0).tolist() == [-1]


def test_series_that_start_at_other_minutes_keep_their_own_earlier_rows() -> None:
    when = np.concatenate([np.arange(6.0), np.arange(6.0) + 0.5]) * HOUR + 15_000
    codes = np.repeat(np.arange(2), 6)
    assert earlier(when, codes, 1, HOUR).tolist() == [-1, 0, 1, 2, 3, 4, -1, 6, 7, 8, 9, 10]
    assert earlier(when, codes, 3, HOUR).tolist() == [-1, -1, -1, 0, 1, 2, -1, -1, -1, 6, 7, 8]


def test_after_a_gap_of_half_a_step_no_row_is_taken_for_another() -> None:
    when = np.array([0.0, 1.0, 2.0, 3.5, 4.5, 5.5])
    assert earlier(when, np.zeros(6, dtype=np.int64), 1, 1.0).tolist() == [-1, 0, 1, -1, 3, 4]
    assert earlier(when, np.zeros(6, dtype=np.int64), 2, 1.0).tolist() == [-1, -1, 0, -1, -1, 3]


def test_shared_moments_are_refused_and_the_column_that_tells_apart_is_named() -> None:
    frame = pl.DataFrame({"shop": ["a", "b"] * 6, "odd": ["x", "y", "x"] * 4, "v": [1.5] * 12})
    contents = Contents(frame, "sales", "")
    when = np.repeat(np.arange(6.0), 2)
    none = series_codes(contents, "")
    assert shared_rows(when, none) == 6
    assert tells_apart(contents, when) == "shop"
    with pytest.raises(DataError, match=r"6 rows have the same moment.*--by shop"):
        refuse_shared(contents, when, none, "")
    refuse_shared(contents, when, series_codes(contents, "shop"), "shop")


@pytest.mark.parametrize(
    ("step", "word"),
    [(HOUR, "hour"), (1.0, "day"), (7.0, "week"), (1 / 48, "30 minutes"), (0.0, "row"), (2.0, "2 days")],
)
def test_in_words(step: float, word: str) -> None:
    assert in_words(step, dated=True) == word
    assert in_words(2.5, dated=False) == "step of 2.5"


def test_blanks_round_the_name_of_a_series_do_not_cut_it() -> None:
    contents = Contents(pl.DataFrame({"shop": ["a", "a ", "b", None, ""]}), "sales", "")
    codes = series_codes(contents, "shop")
    assert codes[0] == codes[1] != codes[2]
    assert codes[3] == codes[4]


def test_an_hour_that_comes_twice_is_named_as_such() -> None:
    contents = Contents(pl.DataFrame({"v": np.arange(100.0)}), "load", "")
    when = np.arange(100) * HOUR
    when[50] = when[49]
    with pytest.raises(DataError, match="clocks go back"):
        refuse_shared(contents, when, series_codes(contents, ""), "")


def test_months_are_steps_of_the_calendar_and_a_missing_month_is_missing() -> None:
    months = np.arange("2019-11", "2024-01", dtype="datetime64[M]")
    for day in (0, 14, 27):
        when = months.astype("datetime64[D]").astype(np.float64) + day
        codes = np.zeros(len(when), dtype=np.int64)
        assert step_of(when, codes, dated=True) == -1.0
    ends = (months + 1).astype("datetime64[D]").astype(np.float64) - 1
    kept = np.delete(np.arange(len(ends)), [5, 20])
    when, codes = ends[kept], np.zeros(len(kept), dtype=np.int64)
    assert step_of(when, codes, dated=True) == -1.0
    for lag in (1, 12):
        found = earlier(when, codes, lag, -1.0)
        for row, place in enumerate(kept):
            same = np.flatnonzero(kept == place - lag)
            assert found[row] == (same[0] if len(same) else -1)


def test_quarters_and_years_of_the_calendar() -> None:
    quarters = np.arange("2010-01", "2024-01", 3, dtype="datetime64[M]").astype("datetime64[D]").astype(np.float64)
    codes = np.zeros(len(quarters), dtype=np.int64)
    assert step_of(quarters, codes, dated=True) == -3.0
    assert earlier(quarters, codes, 4, -3.0).tolist() == [-1] * 4 + list(range(len(quarters) - 4))
    assert step_of(quarters[::4], codes[::4], dated=True) == -12.0
    assert [in_words(-step, dated=True) for step in (1.0, 3.0, 12.0, 24.0)] == ["month", "3 months", "year", "2 years"]


def test_days_of_one_month_are_no_months() -> None:
    days = np.arange(18_000.0, 18_050.0)
    assert step_of(days, np.zeros(50, dtype=np.int64), dated=True) == 1.0
    assert months_of(days) is None
    assert months_of(days[:0]) is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Europe/London"])
@pytest.mark.parametrize("each", [60, 15])
def test_the_hour_that_comes_twice_is_said_and_taken(zone: str, each: int) -> None:
    place = ZoneInfo(zone)
    start = datetime(2023, 1, 1, tzinfo=UTC)
    moments = [(start + timedelta(minutes=each * i)).astimezone(place) for i in range(366 * 24 * 60 // each)]
    naive = np.array([one.replace(tzinfo=None) for one in moments], dtype="datetime64[s]")
    when = naive.astype(np.int64) / 86_400
    codes = np.zeros(len(when), dtype=np.int64)
    told = refuse_shared(Contents(pl.DataFrame({"v": when}), "load", ""), when, codes, "")
    assert len(told) == 1
    assert f"{60 // each} moments stand twice" in told[0]
    row = int(np.flatnonzero(np.diff(when) <= 0)[0]) + 1
    twin = int(np.flatnonzero(when == when[row])[0])
    after = row + 60 // each
    found = earlier(when, codes, 60 // each, step_of(when, codes, dated=True))
    assert twin < row < after
    assert found[after] == twin


def test_doubled_days_and_doubled_hours_at_other_times_are_refused() -> None:
    days = np.repeat(np.arange(19_600.0, 19_700.0), 1)
    sunday = days[(days.astype(int) + 3) % 7 == 6][0]
    assert clocks_back(np.append(days, sunday), np.zeros(101, dtype=np.int64)) == ""
    hours = np.arange(2400) * HOUR + 19_600
    noon = hours[(np.floor(hours).astype(int) + 3) % 7 == 6][12]
    assert clocks_back(np.append(hours, noon), np.zeros(2401, dtype=np.int64)) == ""
    assert clocks_back(hours, np.zeros(2400, dtype=np.int64)) == ""
