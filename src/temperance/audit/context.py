"""What every check is given: the table, the roles, a seed and the count of rows it may use."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from temperance.records.roles import Roles
from temperance.records.schema import Rows, Schema
from temperance.records.table import Table

T = TypeVar("T")
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Context:
    """The data that is audited.

    Attributes:
        table: the rows that the study develops on.
        roles: which row plays which part; ``roles.test`` indexes ``test`` where ``roles.test_is_separate``.
        test: the table of ``--test``, or None.
        seed: seed of every random choice of the audit.
        limit: most rows that an expensive check may use; None = the check's own largest size.
        memo: results that several checks share; passed on by ``sized``.
        raw: ``table`` before its texts and series became numbers; None: it had none.
        raw_test: the same of ``test``.
        answers: row → whether its label is wrong, as the owner judged it.
        against: rows of another file that may hold copies of these, e.g. a public test set; None: none was given.

    """

    table: Table
    roles: Roles
    test: Table | None = None
    seed: int = 0
    limit: int | None = None
    memo: dict[str, Any] = field(default_factory=dict, repr=False)
    raw: Table | None = None
    raw_test: Table | None = None
    against: Table | None = None
    answers: Mapping[int, bool] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """Columns and target."""
        return self.table.schema

    @property
    def is_images(self) -> bool:
        """The rows are images."""
        return self.schema.kind == "images"

    @property
    def is_regression(self) -> bool:
        """The target is a number."""
        return self.schema.target.task == "regression"

    def sized(self, limit: int | None) -> Context:
        """Return the same context with another limit on rows; shared results are kept."""
        return replace(self, limit=limit)

    def once(self, key: str, make: Callable[[], T]) -> T:
        """Return ``make()``, computed once per audit and kept under ``key``."""
        if key not in self.memo:
            self.memo[key] = make()
        value: T = self.memo[key]
        return value

    def generator(self, *names: str) -> np.random.Generator:
        """Return a generator that depends only on the seed and on ``names``."""
        return np.random.default_rng([self.seed, *(zlib.crc32(name.encode()) for name in names)])

    @property
    def development(self) -> Index:
        """Rows of ``table`` that are not test rows and have a target, sorted."""
        return self.once("development", self._development)

    def _development(self) -> Index:
        keep = known_target(self.table)
        if self.test is None and not self.roles.test_is_separate:
            keep[self.roles.test] = False
        return np.flatnonzero(keep)

    @property
    def testing(self) -> tuple[Table, Index]:
        """The table that holds the test rows, and their indices in it (may be empty)."""
        if self.test is None:
            empty = np.empty(0, dtype=np.int64)
            return self.table, empty if self.roles.test_is_separate else np.asarray(self.roles.test, dtype=np.int64)
        own = self.roles.test_is_separate and len(self.roles.test)
        return self.test, np.asarray(self.roles.test if own else np.arange(len(self.test)), dtype=np.int64)

    def sample(self, name: str, limit: int | None = None, index: Index | None = None) -> Index:
        """Return at most ``limit`` rows of ``index`` (default: development rows), drawn by seed and name, sorted."""
        rows = self.development if index is None else index
        most = min(value for value in (limit, self.limit, len(rows)) if value is not None)
        if most >= len(rows):
            return rows
        return np.sort(self.generator("sample", name).choice(rows, size=most, replace=False))

    def labels(self, index: Index) -> NDArray[Any]:
        """Return the targets of rows of ``table``.

        Shapes: row numbers (n,) → codes or values (n,).
        """
        return np.asarray(self.table.target[index])


def known_target(table: Table) -> NDArray[np.bool_]:
    """Return a mask of the rows whose target is known (a class code ≥ 0, or a finite number).

    Shapes: (b,).
    """
    target = np.asarray(table.target)
    if target.dtype.kind == "f":
        finite: NDArray[np.bool_] = np.isfinite(target)
        return finite
    mask: NDArray[np.bool_] = target >= 0
    return mask


def join(first: Rows, second: Rows) -> Rows:
    """Return the rows of both, one after the other."""
    return Rows.stack((first, second))
