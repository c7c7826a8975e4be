from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from temperance.data.guides import group_codes, moments
from temperance.records.errors import DataError


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    codes = group_codes(pl.Series(["a", None, "b", "a", None]))
    assert codes[0] == codes[3]
    assert len(set(codes.tolist())) == 4


def test_times() -> None:
    assert moments(pl.Series(["2023-01", "2023-02"])).tolist() == [19358.0, 19389.0]
    assert moments(pl.Series([3, 4])).tolist() == [3.0, 4.0]
    np.testing.assert_allclose(moments(pl.Series(["12:00", "18:00"])), [0.5, 0.75])
    with pytest.raises(DataError, match="time column"):
        moments(pl.Series("t", ["soon", "later"]))
