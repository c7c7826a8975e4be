from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from temperance.data.base import Contents
from temperance.data.clock_columns import find, found_note, is_dated, moment, part_of, times
from temperance.records.errors import DataError

STAMPS = pl.datetime_range(pl.datetime(2020, 1, 30), pl.datetime(2021, 3, 2), "1h", eager=True)
FRAME = pl.DataFrame({
    "No": range(len(STAMPS)), "year": STAMPS.dt.year(), "Month": STAMPS.dt.month(), "day": STAMPS.dt.day(),
    "hr": STAMPS.dt.hour(), "date": STAMPS.dt.strftime("%d/%m/%Y"), "v": np.arange(len(STAMPS)) * 0.5,
})  # fmt: skip
CONTENTS = Contents(FRAME, "air", "")
DAYS = STAMPS.dt.epoch("us").to_numpy() / 86_400e6


@pytest.mark.parametrize("name", ["year+Month+day+hr", "date+hr", "year + Month + day + hr"])
def test_columns_together_are_the_moment(name: str) -> None:
    np.testing.assert_allclose(times(CONTENTS, name), DAYS, atol=1e-9)
    assert is_dated(CONTENTS, name)


def test_days_that_do_not_exist_are_missing() -> None:
    frame = pl.DataFrame({"year": [2021, 2021, 2020, None], "month": [2, 2, 2, 1], "day": [28, 29, 29, 1]})
    found = times(Contents(frame, "x", ""), "year+month+day")
    assert np.isfinite(found).tolist() == [True, False, True, False]
    assert moment(float(found[0])) == "2021-02-28"
    assert moment(float(found[0]) + 0.5) == "2021-02-28 12:00"


def test_what_is_found_is_said_with_both_readings() -> None:
    assert find(CONTENTS) == "year+Month+day+hr"
    note = found_note(CONTENTS, "year+Month+day+hr")
    assert "2020-01-30 to 2021-03-02" in note
    assert "--time year+Month+day+hr" in note
    assert "columns of their own" in note
    assert find(Contents(FRAME.select("date", "hr", "v"), "x", "")) == "date+hr"


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.select("v", "hr"),
        pl.DataFrame({"year": [1.5, 2.5], "month": [1, 2]}),
        pl.DataFrame({"year": [2000, 2001], "month": [1, 13]}),
        pl.DataFrame({"year": ["a", "b"], "month": [1, 2]}),
    ],
)
def test_what_is_no_moment_is_not_found(frame: pl.DataFrame) -> None:
    assert find(Contents(frame, "x", "")) == ""


def test_errors_in_words() -> None:
    with pytest.raises(DataError, match="no column 'yeer'"):
        times(CONTENTS, "yeer+Month")
    with pytest.raises(DataError, match="'v' in --time is no part of a moment"):
        times(CONTENTS, "year+Month+v")
    with pytest.raises(DataError, match="without a year and a month"):
        times(CONTENTS, "day+hr")
    wrong = Contents(FRAME.with_columns(Month=pl.col("hr") + 1), "x", "")
    with pytest.raises(DataError, match="The month in --time"):
        times(wrong, "year+Month")


def test_part_of_a_moment_by_its_name() -> None:
    assert [part_of(one) for one in ("YEAR", "mnth", "Hr", "minute", "birthyear", "v")] == [
        "year", "month", "hour", "minute", None, None,
    ]  # fmt: skip
