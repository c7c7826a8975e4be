from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from temperance.data.doubts import both_readings, clock_doubt, number_doubts, sentinel, why_code
from temperance.data.evidence import numbering
from temperance.records.cells import NumberStyle


def test_both_readings_and_the_option_for_the_other() -> None:
    said = both_readings("x", "$1,234", ",", ".", "because")
    assert said == (
        "Column 'x': '1,234' can be 1.234 (decimal) or 1234 (thousands); 1234 (thousands) was taken, because. "
        "To read it the other way: --column 'x=number,decimal=,'."
    )
    assert "--column 'x=number,decimal=.,thousands=,'" in both_readings("x", "1,234", ",", ",", "because")
    assert "1.234 (decimal) was taken" in both_readings("x", "1.234", ".", ".", "because")


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        (["1234", "0123"], "'0123'"),
        (["1E5", "7"], "100,000"),
        (["1.1", "1.10"], "versions"),
        (["5", "6"], ""),
        (["1.5e3", "2"], ""),
        (["1.10", "1.25"], ""),
    ],
)
def test_what_numbers_could_be(cells: list[str], word: str) -> None:
    text = pl.Series(cells)
    said = " ".join(number_doubts("x", NumberStyle(), numbering(text), text))
    assert word in said
    assert bool(said) is bool(word)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([*range(15)] * 3 + [-999, -999], True),
        ([*range(15)] * 3 + [999, 999], True),
        ([*range(15)] * 3 + [-999], False),
        ([*range(-1500, 0)] * 2, False),
        ([*range(500, 1500)] * 2, False),
    ],
)
def test_numbers_that_stand_for_missing(values: list[int], said: bool) -> None:
    assert bool(sentinel("x", np.array(values, dtype=float))) is said


def test_codes_and_times() -> None:
    assert "'007'" in why_code(pl.Series(["007", "123"]))
    assert "2^53" in why_code(pl.Series([str(2**53 + 1)]))
    assert why_code(pl.Series(["0", "0.5", "12"])) == ""
    assert "time of day" in clock_doubt("x", np.array([0.5, np.nan]))[0]
    assert "duration" in clock_doubt("x", np.array([1.5]))[0]
