from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from temperance.data.blocks import BLOCKS, Block, Blocks, fit_blocks, pack, unpack
from temperance.data.preprocess import Preprocess, column_names
from temperance.records.errors import BundleError
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table

SCHEMA = Schema(
    (Column("a", "numeric"), Column("c", "categorical", vocabulary=("x", "y")), Column("wave", "series")),
    Target("y", "binary", ("no", "yes")),
)


class Level(Block):
    """The mean of each channel above that of the training rows."""

    def __init__(self, mean: NDArray[np.float64], columns: tuple[str, ...]) -> None:
        self.mean, self.columns = mean, columns

    @classmethod
    def fit(cls, rows: Rows, schema: Schema) -> tuple[Self, ...]:
        if rows.series is None:
            return ()
        return (cls(rows.series.mean(axis=(0, 2), dtype=np.float64), tuple(c.name for c in schema.series)),)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"level of {name}" for name in self.columns)

    @property
    def sources(self) -> tuple[str, ...]:
        return self.columns

    def transform(self, rows: Rows) -> NDArray[np.float32]:
        assert rows.series is not None
        return (rows.series.mean(axis=2, dtype=np.float64) - self.mean).astype(np.float32)

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        return {"mean": self.mean}, {"columns": list(self.columns)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        return cls(arrays["mean"], tuple(settings["columns"]))


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(BLOCKS, "_own", {"Level": Level})


def table(rows: int = 40) -> Table:
    rng = np.random.default_rng(0)
    numeric = np.where(rng.random((rows, 1)) < 0.2, np.nan, rng.normal(size=(rows, 1)))
    codes = rng.integers(0, 2, (rows, 1)).astype(np.int32)
    series = rng.normal(5.0, 1.0, (rows, 1, 8)).astype(np.float32)
    return Table(SCHEMA, Rows(numeric, codes, series=series), np.arange(rows) % 2)


def test_a_block_is_fitted_on_the_rows_of_the_fold_alone() -> None:
    data = table()
    fold = np.arange(10)
    fitted = Preprocess.fit(data, fold)
    assert data.rows.series is not None
    assert fitted.blocks[0].mean == pytest.approx(data.rows.series[fold].mean())  # type: ignore[attr-defined]
    assert fitted.blocks[0].mean != pytest.approx(data.rows.series.mean())  # type: ignore[attr-defined]


def test_its_numbers_stand_behind_the_flags() -> None:
    data = table()
    fitted = Preprocess.fit(data)
    out = fitted.transform(data.rows).numeric
    assert column_names(SCHEMA, fitted) == ("a", "a is missing", "level of wave")
    assert out.shape == (40, 3)
    assert fitted.width == 3
    np.testing.assert_array_equal(out[:, 2:], fitted.blocks[0].transform(data.rows))
    half = fitted.transform(data.rows.take(slice(20, 40))).numeric
    np.testing.assert_array_equal(half, out[20:])


def test_preprocessing_with_blocks_comes_back_from_arrays() -> None:
    fitted = Preprocess.fit(table())
    again = Preprocess.from_arrays(*fitted.to_arrays())
    assert again == fitted
    assert again.blocks == fitted.blocks
    assert fitted.as_they_are().blocks == fitted.blocks
    assert fitted.as_they_are(9).blocks == ()  # tokens are whole numbers


def test_blocks_as_further_columns() -> None:
    data = table()
    blocks = Blocks(fit_blocks(data.rows, SCHEMA), SCHEMA)
    assert [c.name for c in blocks.widened.columns] == ["a", "level of wave", "c", "wave"]
    wide = blocks.rows(data.rows)
    np.testing.assert_array_equal(wide.numeric[:, :1], data.rows.numeric)
    np.testing.assert_array_equal(wide.numeric[:, 1:], blocks.blocks[0].transform(data.rows).astype(np.float64))
    assert blocks.wide(data.rows) is None


def test_no_block_for_a_table_without_texts_or_series() -> None:
    plain = Schema(SCHEMA.columns[:2], SCHEMA.target)
    rows = table().rows._replace(series=None)
    assert fit_blocks(rows, plain) == ()
    assert Preprocess.fit(Table(plain, rows, np.arange(40) % 2)).blocks == ()


def test_what_cannot_be_rebuilt_is_told() -> None:
    arrays, cards = pack(fit_blocks(table().rows, SCHEMA))
    assert unpack(arrays, cards) == fit_blocks(table().rows, SCHEMA)
    with pytest.raises(BundleError, match="'Level' is not complete"):
        unpack({}, cards)
    with pytest.raises(BundleError, match=r"a block 'Strange'.*known are Level"):
        unpack(arrays, [{"kind": "Strange", "settings": {}}])
