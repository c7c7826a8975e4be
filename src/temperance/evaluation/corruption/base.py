"""The grammar of a corruption: raw rows in, damaged raw rows out, before any preprocessing of the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Array
from temperance.records.errors import SettingError
from temperance.records.schema import Column, Rows, Schema

SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, eq=False)
class Reference:
    """What a corruption knows of clean data.

    Attributes:
        schema: columns or image shape.
        spread: (n,) standard deviation of each numeric column, missing and infinite values left out.

    """

    schema: Schema
    spread: Array

    @cached_property
    def measured(self) -> NDArray[np.int64]:
        """Numeric columns that are measured quantities: they vary and are not parts of a date."""
        kept = [j for j, c in enumerate(self.schema.numeric) if not c.part and self.spread[j] > 0]
        return np.asarray(kept, dtype=np.int64)

    @cached_property
    def sources(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Number of the file's column behind each numeric, categorical and text column; parts of a date share one."""
        names = list(dict.fromkeys(_source(c) for c in self.schema.columns))
        number = {name: i for i, name in enumerate(names)}
        numeric, categorical, text = (
            np.array([number[_source(c)] for c in columns], dtype=np.int64)
            for columns in (self.schema.numeric, self.schema.categorical, self.schema.text)
        )
        return numeric, categorical, text

    @property
    def columns(self) -> int:
        """Count of columns of the file."""
        return len({_source(c) for c in self.schema.columns})


def reference(schema: Schema, rows: Rows) -> Reference:
    """Measure clean rows."""
    x = np.asarray(rows.numeric, dtype=np.float64)
    known = np.isfinite(x)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, x, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, np.square(np.where(known, x, 0.0) - centre), 0.0).sum(axis=0) / count)
    return Reference(schema, spread)


@dataclass(frozen=True)
class Corruption(ABC):
    """One family of damage; subclasses are final and frozen.

    ``corrupt`` must draw the same random numbers whatever the severity, so that severities differ in size only and all
    models meet the same damage.
    """

    name: ClassVar[str]
    words: ClassVar[str]
    kind: ClassVar[Literal["table", "images"]]
    basic: ClassVar[bool] = True  # part of the quick suite
    chance: ClassVar[bool] = True  # False: every draw is the same, so one is enough

    @abstractmethod
    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return the five sizes of the damage, in the unit that ``words`` names."""

    @abstractmethod
    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return damaged copies of ``rows``; the arguments stay untouched."""

    def applies(self, reference: Reference) -> bool:
        """Say whether there is anything to damage."""
        return reference.schema.kind == self.kind

    def __call__(self, rows: Rows, *, severity: int, reference: Reference, generator: np.random.Generator) -> Rows:
        """Damage rows at severity 1 … 5.

        Raises:
            SettingError: another severity.

        """
        if severity not in SEVERITIES:
            raise SettingError(f"severity {severity}", "1, 2, 3, 4 or 5", "Choose one of them")
        level = self.levels(reference)[severity - 1]
        return self.corrupt(rows, level=level, reference=reference, generator=generator)


def _source(column: Column) -> str:
    return column.source or column.name
