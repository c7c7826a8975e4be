from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from temperance.data.guides import even, group_codes, moments, weights, without_weight
from temperance.records.errors import DataError


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    codes = group_codes(pl.Series(["a", None, "b", "a", None]))
    assert codes[0] == codes[3]
    assert len(set(codes.tolist())) == 4


def test_blanks_round_the_name_of_a_group_do_not_make_another_group() -> None:
    codes = group_codes(pl.Series(["p1", "p1 ", " p1", "p1\u200b", "NA", "NA", "", " "]))
    assert len(set(codes[:4])) == 1
    assert codes[4] == codes[5] != codes[0]
    assert len({*codes[5:]}) == 3


def test_times() -> None:
    assert moments(pl.Series(["2023-01", "2023-02"])).tolist() == [19358.0, 19389.0]
    assert moments(pl.Series([3, 4])).tolist() == [3.0, 4.0]
    np.testing.assert_allclose(moments(pl.Series(["12:00", "18:00"])), [0.5, 0.75])
    with pytest.raises(DataError, match="time column"):
        moments(pl.Series("t", ["soon", "later"]))


def test_weights_are_numbers_of_0_or_more():
    assert weights(pl.Series("w", ["1,5", "0", None, "2,25"])).tolist()[:2] == [1.5, 0.0]
    for bad, words in (
        ([1.0, -2.0], "holds -2"),
        (["a", "b"], "Numbers, 0 or more"),
        ([1.0, float("inf")], "infinite"),
    ):
        with pytest.raises(DataError, match=words):
            weights(pl.Series("w", bad))


def test_only_the_ratios_of_weights_count():
    assert even(np.array([1.0, 3.0])).tolist() == [0.5, 1.5]
    assert even(np.array([2.0, 2.0])) is None


def test_rows_without_weight_are_named():
    weight = np.array([1.0, 0.0, np.nan, 0.0])
    found = without_weight(weight, np.array([True, True, True, False]), "w")
    assert [(row["rows"], row["why"]) for row in found] == [
        (1, "The weight 'w' is missing."),
        (1, "The weight 'w' is 0."),
    ]
