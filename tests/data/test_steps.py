from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from temperance.data.base import Contents
from temperance.data.steps import earlier, in_words, refuse_shared, series_codes, shared_rows, step_of, tells_apart
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
