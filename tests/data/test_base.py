from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from temperance.data.base import Contents, Source
from temperance.records.errors import DataError


@pytest.mark.parametrize("lazy", [False, True])
def test_columns_are_read_one_at_a_time_and_unknown_ones_name_the_nearest(lazy: bool) -> None:
    frame = pl.DataFrame({"age": [1, 2], "city": ["a", "b"]})
    contents = Contents(frame.lazy() if lazy else frame, "set", "")
    assert contents.names == ("age", "city")
    assert contents.column("city").to_list() == ["a", "b"]
    with pytest.raises(DataError, match="Did you mean 'city'"):
        contents.column("citi")


def test_a_source_must_open(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Source()  # type: ignore[abstract]
