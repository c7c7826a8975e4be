from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from temperance.data.dates import Pattern, date_pattern, number_pattern, shape
from temperance.records.moments import DAY_FORMATS, EPOCH_SECONDS, PATTERNS


def test_ambiguous_days_name_both_patterns() -> None:
    found = date_pattern(pl.Series("d", ["01/02/2024", "03/04/2024"]))
    assert (found.pattern, found.other) == ("%d/%m/%Y", "%m/%d/%Y")
    assert date_pattern(pl.Series("d", ["01/02/2024", "03/14/2024"])) == Pattern("%m/%d/%Y")
    assert date_pattern(pl.Series("d", ["a-b", "c"])) == Pattern()


def test_the_fewest_misfits_win() -> None:
    days = [f"{m:02d}/{d:02d}/2024" for m in range(1, 13) for d in range(1, 13)]
    assert date_pattern(pl.Series("d", [*days, "12/25/2024", "11/30/2024", "25/12/2024"])) == Pattern("%m/%d/%Y", 1)
    assert date_pattern(pl.Series("d", ["2024-01-01"] * 50 + ["soon"])) == Pattern("iso", 1)
    assert date_pattern(pl.Series("d", ["2024-01-01"] * 50 + ["soon"] * 20)) == Pattern()


def test_same_days_in_two_patterns_are_no_doubt() -> None:
    assert date_pattern(pl.Series("d", ["1 May 2024", "3 Jun 2024"])).other == ""


def test_whole_numbers_that_are_days() -> None:
    assert number_pattern("x", np.array([20240101.0, 20241231.0])).pattern == "%Y%m%d"
    assert number_pattern("x", np.array([20240101.0, 20249931.0])) == Pattern()
    assert number_pattern("x", np.array([1.6e9, 1.7e9])).pattern == EPOCH_SECONDS
    assert number_pattern("x", np.array([1.6e8, 1.7e8])) == Pattern()
    assert number_pattern("created_at", np.array([1.6e8, 1.7e8])).pattern == EPOCH_SECONDS
    assert number_pattern("year", np.array([1999.0, 2024.0])) == Pattern()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_has_a_shape(pattern: str) -> None:
    import datetime

    if pattern in DAY_FORMATS:
        text = datetime.date(2024, 12, 25).strftime(pattern)
        assert pl.Series([text]).str.contains(shape(pattern)).item()
        assert pl.Series([text + " 12:30"]).str.contains(shape(pattern)).item()
