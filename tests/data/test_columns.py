"""Small tables go the road of large files too: thresholds are forced down, and what is read is the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.data.test_dialects import DIALECTS, Dialect, tables

from temperance.data import columns, dates, doubts, encode, evidence, judge, kept, lines, read, sets, values
from temperance.data.choices import AS_FOUND
from temperance.data.csv_file import CsvFile
from temperance.data.evidence import FileStyle
from temperance.data.reading import Reading
from temperance.data.source import source_of

FORCED = (
    (kept, "LONG_BYTES", 1), (kept, "BLOCK", 7), (encode, "LARGE_BYTES", 1), (values, "LONG", 10),
    (sets, "FIRST", 3), (lines, "_CHUNK", 64),
    (evidence, "REPEATED", 5), (evidence, "SAMPLE", 4),
)  # fmt: skip
# How many cells are looked at, by design: the odd cells of a table this small would be missed.
LOOKS = (judge, "WHOLE", 20), (dates, "SAMPLE", 10), (judge, "LOOK", 16), (doubts, "HEAD", 5)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink a table takes minutes
CELLS = (
    "", "NA", "-", "?", "n/a", "x", "007", "12", "-999", "1.5", "2,5", "1.234", "1,234", "1.234,5", "12 kg", "5 %",
    "3e5", "2021-03-04", "04.03.2021", "3/4/2021", "12:30", "1;2", "a|b", "red", "red, blue", "RED", '"q"',
    "12345678901234567890", "20210304", "1.10", "inf", "nan", "0",
)  # fmt: skip


def shown(reading: Reading) -> str:
    row = reading.to_dict()
    return json.dumps(row, sort_keys=True, indent=1, default=str)


def short_and_long(path: Path, folder: Path, also: Sequence[Any] = ()) -> tuple[Reading, Reading]:
    short = read(CsvFile(path, large_bytes=2**40), target="y")
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in (*FORCED, *also):
            patch.setattr(module, name, value)
        return short, read(CsvFile(path, large_bytes=1), target="y", workdir=folder / "work")


def alike(short: Reading, long: Reading) -> None:
    assert shown(long) == shown(short)
    assert long.table.schema == short.table.schema
    np.testing.assert_array_equal(long.table.rows.numeric, short.table.rows.numeric)
    np.testing.assert_array_equal(long.table.rows.categorical, short.table.rows.categorical)
    np.testing.assert_array_equal(long.table.target, short.table.target)


@settings(max_examples=8, deadline=None, phases=PHASES)
@given(table=tables(), dialect=st.sampled_from(DIALECTS))
def test_both_roads_read_a_dialect_alike(table: dict[str, list[Any]], dialect: Dialect) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "table.csv"
        dialect.write(table, path)
        alike(*short_and_long(path, Path(name), LOOKS))


@pytest.mark.slow
@settings(max_examples=40, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
@given(
    table=tables(), dialect=st.sampled_from(DIALECTS),
    kinds=st.lists(st.lists(st.sampled_from(CELLS), min_size=1, max_size=5), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1), share=st.sampled_from((0.0, 0.01, 0.05, 0.3)),
)  # fmt: skip
def test_both_roads_read_odd_cells_alike(
    table: dict[str, list[Any]], dialect: Dialect, kinds: list[list[str]], seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    rows = len(table["y"])
    for k, cells in enumerate(kinds):
        table[f"odd{k}"] = [cells[int(i)] for i in rng.integers(0, len(cells), rows)]
        table["amount"] = [cells[0] if rng.random() < share else value for value in table["amount"]]
        table["day"] = [cells[-1] if rng.random() < share else value for value in table["day"]]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "table.csv"
        dialect.write(table, path)
        alike(*short_and_long(path, Path(name), [(judge, "WHOLE", rows - 1)]))


def test_the_first_names_are_listed() -> None:
    assert columns.listing(["a", "b"]) == "'a', 'b'"
    assert columns.listing([str(i) for i in range(9)]).endswith("'7' …")


def test_what_a_column_gave_is_kept_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": np.arange(40) * 0.5 % 7, "same": [1] * 40, "y": ["a", "b"] * 20})
    contents = replace(source_of(frame, choices=AS_FOUND).open(tmp_path), kept=kept.Kept(tmp_path))
    found, notes, dropped, readers = columns.columns_of(contents, ("y",), AS_FOUND, FileStyle())
    assert [column.name for column in found] == ["x"]
    assert [item["column"] for item in dropped] == ["same"]
    assert "Column 'same' is not used" in notes[0]
    assert [reader.found for reader in readers] == [None] * len(readers)
    np.testing.assert_array_equal(
        encode.column_values(contents.kept, found[0], np.ones(40, dtype=bool)), frame["x"].to_numpy()
    )
