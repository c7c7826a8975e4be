"""The columns of a table (or the shape of images) and the target: one object shared by every room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.records.cells import NumberStyle, fold, sentinels
from temperance.records.layout import Forecast, Long

MISSING = -1  # code of a missing category
UNSEEN = -2  # code of a category that the schema does not know
Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Column:
    """One input column of the model.

    Attributes:
        name: name in the model's input; unique.
        kind: ``numeric`` (float64, missing = NaN), ``categorical`` (a string, missing = empty), ``text`` (words to
            read, missing = None) or ``series`` (numbers in order); the last two are read by the blocks of ``data``.
        source: column of the file that it is read from; differs from ``name`` for the parts of a date.
        part: empty, or the part of a date: ``days`` (since 1970-01-01), ``month``, ``weekday``, ``hour``; of a time of
            day ``hours``, ``sin``, ``cos``; ``has red`` where it says whether a cell with several values holds one.
        vocabulary: categories by code, of a categorical column.
        integer: all values seen are whole numbers.
        low: smallest value seen, of a numeric column.
        high: largest value seen.
        format: how the text of a date or number is written: one of ``moments.PATTERNS`` such as ``%d/%m/%Y``; decimal
            and thousands sign such as ``,.``; what stands between several values; empty for plain decimal points.
        unit: currency or unit that may stand beside the numbers.
        missing: words that stand for "missing" in this column, in lower case; None: the usual ones.

    """

    name: str
    kind: Literal["numeric", "categorical", "text", "series"]
    source: str = ""
    part: str = ""
    vocabulary: tuple[str, ...] = ()
    integer: bool = False
    low: float | None = None
    high: float | None = None
    format: str = ""
    unit: str = ""
    missing: tuple[str, ...] | None = None

    @cached_property
    def codes(self) -> dict[str, int]:
        """Category to code."""
        return {value: code for code, value in enumerate(self.vocabulary)}

    @cached_property
    def near(self) -> dict[str, int]:
        """Folded category to code, where it stands for one category only."""
        return unambiguous(self.codes)

    @cached_property
    def sentinels(self) -> frozenset[float]:
        """Numbers that stand for "missing" in this column."""
        return sentinels(self.missing)

    @property
    def style(self) -> NumberStyle:
        """How the numbers of the column are written."""
        return NumberStyle.of(self.format, self.unit)


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Attributes:
        name: the column.
        task: its kind.
        classes: labels as strings, in the order of the outputs (empty for regression).
        format: how its numbers are written, as in ``Column``.
        unit: currency or unit that may stand beside them.
        missing: words that stand for "missing" in it, in lower case; None: the usual ones.
        ordered: the classes are levels, the lowest first: a far miss is worse than a near one.
        counts: the numbers are counts, 0 or more: models predict their mean on a log scale.
        source: column of the file that it is read from, where that has another name.
        part: ``has red`` where it says whether a cell with several labels holds one; ``format`` is what stands between.

    """

    name: str
    task: Task
    classes: tuple[str, ...] = ()
    format: str = ""
    unit: str = ""
    missing: tuple[str, ...] | None = None
    ordered: bool = False
    counts: bool = False
    source: str = ""
    part: str = ""

    @property
    def column(self) -> str:
        """The column of the file that it is read from."""
        return self.source or self.name

    @property
    def style(self) -> NumberStyle:
        """How the numbers of the target are written."""
        return NumberStyle.of(self.format, self.unit)

    @property
    def reading(self) -> dict[str, Any]:
        """What the target is beside its task: ``ordered`` and ``counts``."""
        return {"ordered": self.ordered, "counts": self.counts}

    @property
    def outputs(self) -> int:
        """Count of model outputs: classes (2 for binary too), or 1 for regression."""
        return len(self.classes) or 1


class Rows(NamedTuple):
    """Raw rows, before preprocessing: what a ``Predictor`` takes.

    Shapes: numeric (b, n) float64, missing = NaN · categorical (b, m) int32 codes into each column's vocabulary,
    ``MISSING`` or ``UNSEEN`` · images (b, h, w, c) uint8 or None · text (b, t) object, str or None, or None where there
    are no columns of text · series (b, c, length) float32, or None where there are none. ``n`` and ``m`` may be 0.
    """

    numeric: NDArray[np.float64]
    categorical: NDArray[np.int32]
    images: NDArray[np.uint8] | None = None
    text: NDArray[np.object_] | None = None
    series: NDArray[np.float32] | None = None

    def take(self, index: Any) -> Rows:
        """Select rows by an integer array, a mask or a slice."""
        return Rows(*(None if part is None else part[index] for part in self))  # type: ignore[arg-type]

    @classmethod
    def stack(cls, parts: Sequence[Rows]) -> Rows:
        """Return the rows of all parts, one after the other; the parts hold the same kinds of columns."""
        found = zip(*parts, strict=True)
        return cls(*(None if one[0] is None else np.concatenate(one) for one in found))  # type: ignore[arg-type]

    @property
    def size(self) -> int:
        """Count of rows."""
        return len(self.numeric) if self.images is None else len(self.images)


@dataclass(frozen=True)
class Schema:
    """All inputs and the target; ``columns`` holds them by kind (numeric, categorical, text, series), in file order.

    ``long`` says which rows of a file are one series, ``forecast`` which earlier values of the target are inputs.
    """

    columns: tuple[Column, ...]
    target: Target
    kind: Literal["table", "images"] = "table"
    image_shape: tuple[int, int, int] | None = None
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)
    long: Long | None = None
    forecast: Forecast | None = None

    @cached_property
    def numeric(self) -> tuple[Column, ...]:
        """Numeric columns, in the order of ``Rows.numeric``."""
        return tuple(c for c in self.columns if c.kind == "numeric")

    @cached_property
    def categorical(self) -> tuple[Column, ...]:
        """Categorical columns, in the order of ``Rows.categorical``."""
        return tuple(c for c in self.columns if c.kind == "categorical")

    @cached_property
    def text(self) -> tuple[Column, ...]:
        """Columns of text, in the order of ``Rows.text``."""
        return tuple(c for c in self.columns if c.kind == "text")

    @cached_property
    def series(self) -> tuple[Column, ...]:
        """Channels, in the order of ``Rows.series``."""
        return tuple(c for c in self.columns if c.kind == "series")

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of all columns of the file that are known: inputs, target, those left out."""
        return frozenset({*(c.source or c.name for c in self.columns), self.target.column, *self.ignored})

    def encode(self, strings: Sequence[Sequence[str]] | NDArray[Any]) -> NDArray[np.int32]:
        """Turn strings (b, m) into codes (b, m): empty → ``MISSING``, unknown → ``UNSEEN``."""
        values = np.asarray(strings, dtype=object).reshape(-1, len(self.categorical))
        codes = np.empty(values.shape, dtype=np.int32)
        for j, column in enumerate(self.categorical):
            known = column.codes
            codes[:, j] = [MISSING if v is None or v == "" else known.get(str(v), UNSEEN) for v in values[:, j]]
        return codes

    def decode(self, codes: NDArray[np.int32]) -> NDArray[Any]:
        """Turn codes (b, m) into strings (b, m): ``MISSING`` → empty, ``UNSEEN`` → a string outside the vocabulary."""
        out = np.empty(codes.shape, dtype=object)
        for j, column in enumerate(self.categorical):
            words = np.array([*column.vocabulary, _stranger(column.vocabulary), ""], dtype=object)
            out[:, j] = words[codes[:, j]]  # UNSEEN = -2 and MISSING = -1 index the two last words
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "kind": self.kind,
            "image_shape": list(self.image_shape) if self.image_shape else None,
            "columns": [{**asdict(c), "vocabulary": list(c.vocabulary)} for c in self.columns],
            "target": {**asdict(self.target), "classes": list(self.target.classes)},
            "ignored": list(self.ignored),
            "notes": list(self.notes),
            "long": None if self.long is None else self.long.to_dict(),
            "forecast": None if self.forecast is None else self.forecast.to_dict(),
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Schema:
        """Rebuild from ``to_dict``."""
        shape = row.get("image_shape")
        target = row["target"]
        return cls(
            columns=tuple(Column(**_tuples(c, "vocabulary", "missing")) for c in row["columns"]),
            target=Target(**_tuples(target, "classes", "missing")),
            kind=row["kind"],
            image_shape=(int(shape[0]), int(shape[1]), int(shape[2])) if shape else None,
            ignored=tuple(row.get("ignored", ())),
            notes=tuple(row.get("notes", ())),
            long=Long.from_dict(row["long"]) if row.get("long") else None,
            forecast=Forecast.from_dict(row["forecast"]) if row.get("forecast") else None,
        )


def unambiguous(codes: Mapping[str, int]) -> dict[str, int]:
    """Return folded words to codes, without those that fold words of two codes into one."""
    found: dict[str, set[int]] = {}
    for word, code in codes.items():
        found.setdefault(fold(word), set()).add(code)
    return {word: next(iter(one)) for word, one in found.items() if len(one) == 1}


def _tuples(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: tuple(value) if key in names and value is not None else value for key, value in row.items()}


def _stranger(vocabulary: tuple[str, ...]) -> str:
    word = "(unseen)"
    while word in vocabulary:
        word += "*"
    return word
