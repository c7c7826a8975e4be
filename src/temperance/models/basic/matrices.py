"""What basic models see of raw rows; an exporter rebuilds it from these fields.

- ``LinearMatrix``, columns in this order: each numeric column with missing → median, minus ``centre``, times
  ``factor``; then one 0/1 column per numeric column that had missing values in training (1 = missing); then per
  categorical column one 0/1 column per code 0 … len(vocabulary) − 1; missing and unseen categories are all zeros.
  Images: ``PixelMatrix`` in ``models.pixels``, area means of at most 16 × 16 pixels per channel.
- ``WideMatrix``: the same with thousands of numbers computed from texts behind it.
- ``TreeMatrix``, columns in this order: numeric columns as they are, float64, missing = NaN; then one column per
  categorical column that holds the code as float64, missing and unseen = NaN. Columns listed in ``as_category`` are
  split by sets of codes (at most 255 codes), the other categorical columns as ordinary numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.records.schema import Rows, Schema

Matrix = NDArray[np.float64]
WIDEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class LinearMatrix:
    """Scaled numbers, flags of missing values, one-hot categories: see the module's docstring.

    Attributes:
        median: (n,) what replaces a missing number.
        centre: (n,) subtracted.
        factor: (n,) multiplied, 0 for a constant column.
        flagged: numbers of the numeric columns that get a flag.
        levels: count of one-hot columns per categorical column.

    """

    median: Matrix
    centre: Matrix
    factor: Matrix
    flagged: tuple[int, ...]
    levels: tuple[int, ...]

    @classmethod
    def fit(cls, rows: Rows, schema: Schema) -> LinearMatrix:
        """Take medians, means and standard deviations from ``rows``."""
        numbers = rows.numeric
        absent = np.isnan(numbers)
        median = np.array([np.median(c[~a]) if (~a).any() else 0.0 for c, a in zip(numbers.T, absent.T, strict=True)])
        full = np.where(absent, median, numbers)
        centre = full.mean(axis=0)
        deviation = full.std(axis=0)
        steady = deviation <= 1e-12 * np.maximum(1.0, np.abs(centre))
        factor = np.where(steady, 0.0, 1 / np.where(steady, 1.0, deviation))
        flagged = tuple(int(j) for j in np.flatnonzero(absent.any(axis=0)))
        return cls(median, centre, factor, flagged, tuple(len(c.vocabulary) for c in schema.categorical))

    def of(self, rows: Rows) -> Matrix:
        """Return the matrix (b, n + flags + Σ levels)."""
        absent = np.isnan(rows.numeric)
        numbers = (np.where(absent, self.median, rows.numeric) - self.centre) * self.factor
        blocks = [numbers, absent[:, list(self.flagged)].astype(np.float64)]
        for codes, levels in zip(rows.categorical.T, self.levels, strict=True):
            blocks.append((codes[:, None] == np.arange(levels)).astype(np.float64))
        return np.concatenate(blocks, axis=1)


@dataclass(frozen=True)
class WideMatrix:
    """A ``LinearMatrix``, times ``SHARE``, with the wide numbers of blocks beside it, as a SciPy CSR matrix.

    A text's words share a length of about 1 and need a weak penalty, under which scaled numbers would be free.
    """

    plain: LinearMatrix

    SHARE: ClassVar[float] = 1 / 16

    def of(self, rows: Rows, wide: Any) -> Any:
        """Return the matrix (b, n + flags + Σ levels + w), float64; ``wide`` (b, w) is sparse or not."""
        from scipy import sparse

        plain = sparse.csr_matrix(self.SHARE * self.plain.of(rows))
        return sparse.csr_matrix(sparse.hstack([plain, sparse.csr_matrix(wide)]), dtype=np.float64)


@dataclass(frozen=True)
class TreeMatrix:
    """Raw numbers and category codes: see the module's docstring. ``as_category`` are column numbers of the matrix."""

    as_category: tuple[int, ...]

    @classmethod
    def fit(cls, schema: Schema) -> TreeMatrix:
        """Treat a categorical column as a set of codes where scikit-learn can (at most 255)."""
        start = len(schema.numeric)
        small = [start + j for j, column in enumerate(schema.categorical) if 1 <= len(column.vocabulary) <= 255]
        return cls(tuple(small))

    def of(self, rows: Rows) -> Matrix:
        """Return the matrix (b, n + m)."""
        codes = np.where(rows.categorical < 0, np.nan, rows.categorical.astype(np.float64))
        return np.concatenate([rows.numeric, codes], axis=1)


@dataclass(frozen=True)
class CodeMatrix:
    """Raw numbers, then per categorical column 0/1 columns or its code: for trees that know numbers only.

    A column of at most ``MOST_CODES`` codes becomes one 0/1 column per code (missing and unseen: all zeros), any other
    one its code as a number (missing and unseen: NaN). All are rounded to float32, in which these trees compare.

    Attributes:
        levels: count of 0/1 columns per categorical column; 0 where the code stands as a number.

    """

    levels: tuple[int, ...]

    MOST_CODES: ClassVar[int] = 32

    @classmethod
    def fit(cls, schema: Schema) -> CodeMatrix:
        """Count the codes of each categorical column."""
        sizes = [len(column.vocabulary) for column in schema.categorical]
        return cls(tuple(size if size <= cls.MOST_CODES else 0 for size in sizes))

    def of(self, rows: Rows) -> Matrix:
        """Return the matrix (b, n + Σ columns)."""
        blocks = [rows.numeric]
        for codes, levels in zip(rows.categorical.T, self.levels, strict=True):
            if levels:
                blocks.append((codes[:, None] == np.arange(levels)).astype(np.float64))
            else:
                blocks.append(np.where(codes < 0, np.nan, codes.astype(np.float64))[:, None])
        return np.clip(np.concatenate(blocks, axis=1), -WIDEST, WIDEST).astype(np.float32).astype(np.float64)


@dataclass(frozen=True)
class FrameMatrix:
    """A Polars frame with the schema's columns: numbers (missing = null), categories as words (missing = null)."""

    schema: Schema

    def of(self, rows: Rows) -> Any:
        """Return the frame (b, n + m)."""
        import polars as pl

        numbers = {c.name: pl.Series(rows.numeric[:, j]).fill_nan(None) for j, c in enumerate(self.schema.numeric)}
        words = self.schema.decode(rows.categorical)
        texts = {
            c.name: pl.Series([word or None for word in words[:, j]], dtype=pl.String)
            for j, c in enumerate(self.schema.categorical)
        }
        return pl.DataFrame({**numbers, **texts})
