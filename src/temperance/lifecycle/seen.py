"""Rows of new data that the model in use was trained on: recognised, and never counted as unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data import read, split
from temperance.data.choices import AS_FOUND, Choices
from temperance.records.digests import digest_columns
from temperance.records.errors import DataError
from temperance.records.roles import Roles
from temperance.records.table import Table

LEAST_UNSEEN = 40  # rows that the model in use has not seen, for a test at all
Lookup = Callable[[Table], NDArray[np.bool_]]
"""Says of each row whether a bundle's own fingerprints know it."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of the rows.

    Attributes:
        rows: True for each row that the model in use was trained on (b,).
        how: how that is known, in words; empty where it is not known.

    """

    rows: NDArray[np.bool_]
    how: str

    @property
    def known(self) -> bool:
        """Whether rows could be looked up at all."""
        return bool(self.how)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {"rows": int(self.rows.sum()), "of": len(self.rows), "known": self.known, "how": self.how}


def digests(table: Table) -> NDArray[np.uint64]:
    """Return a 64-bit number per row of its inputs and target (b,); equal rows have equal numbers.

    Numbers count as float64 with one zero and one NaN, categories by their words, so that the order of a vocabulary
    does not matter.
    """
    rows = table.rows
    numeric = np.where(np.isnan(rows.numeric), np.nan, rows.numeric) + 0.0
    texts = digest_columns(rows)
    parts: list[NDArray[Any]] = [numeric.view(np.uint64).reshape(len(table), -1), *(t[:, None] for t in texts)]
    if rows.images is not None:
        flat = np.ascontiguousarray(rows.images).reshape(len(table), -1)
        parts.append(np.array([[_number(row.tobytes())] for row in flat], dtype=np.uint64).reshape(len(table), 1))
    target = np.asarray(table.target, dtype=np.float64)
    parts.append((target + 0.0).view(np.uint64)[:, None])
    plain = np.concatenate(parts, axis=1)
    words = table.schema.decode(rows.categorical) if rows.images is None else np.empty((len(table), 0), dtype=object)
    found = [
        _number(row.tobytes() + "\x1f".join(map(str, word)).encode("utf-8", "surrogatepass"))
        for row, word in zip(np.ascontiguousarray(plain), words, strict=True)
    ]
    return np.array(found, dtype=np.uint64)


def find(
    table: Table, *, same: bool, champion_data: str | Path | None = None, lookup: Lookup | None = None,
    workdir: Path | None = None, choices: Choices = AS_FOUND,
) -> Seen:  # fmt: skip
    """Say which rows the model in use was trained on.

    Args:
        table: the new rows.
        same: the new data are the very file that the model was made from.
        champion_data: the data that it was made from.
        lookup: asks the bundle's own fingerprints, where it holds them.
        workdir: folder for large data.
        choices: how both files are written.

    Raises:
        DataError: ``champion_data`` cannot be read as the model reads.

    """
    none = np.zeros(len(table), dtype=bool)
    if same:
        return Seen(~none, "the new data are the very data that the model in use was made from")
    marked, how = (none, "") if lookup is None else (lookup(table), "the marks of its training rows in the bundle")
    if champion_data is None:
        return Seen(marked, how)
    old = read(
        champion_data, target=table.schema.target.name, schema=table.schema, workdir=workdir, choices=choices
    ).table
    rows = marked | np.isin(digests(table), digests(old))
    return Seen(rows, " and ".join(filter(None, (how, "the data that the model in use was made from"))))


def split_unseen(table: Table, seen: Seen, *, seed: int) -> Roles:
    """Give each row its role, with test rows among those that the model in use has not seen.

    Groups (``table.group``) with a seen row, and the other rows of a test row's group, are not test. Where no row is
    known to be seen this is ``data.split``.

    Raises:
        DataError: too few rows are unseen.

    """
    if not seen.rows.any():
        return split(table, seed=seed)
    known = seen.rows
    if table.group is not None:
        known = np.isin(table.group, np.unique(table.group[seen.rows]))
    fresh = np.flatnonzero(~known)
    if len(fresh) < LEAST_UNSEEN:
        raise DataError(
            f"{int(seen.rows.sum()):,} of {len(table):,} rows are rows that the model in use was made from"
            f" ({seen.how}){_grouped(table)}, {len(fresh):,} are left to test it on",
            f"at least {LEAST_UNSEEN} rows that it has not seen", "Give newer rows",
        )  # fmt: skip
    apart = split(table.take(fresh), seed=seed)
    test = fresh[apart.test]
    rest = np.ones(len(table), dtype=bool)
    rest[test] = False
    if table.group is not None:
        rest &= ~np.isin(table.group, np.unique(table.group[test]))
    dev = np.flatnonzero(rest)
    roles = split(table.take(dev), seed=seed, test=table.take(test))
    folds = tuple((dev[a], dev[b]) for a, b in roles.folds)
    told = (
        f"{int(seen.rows.sum()):,} rows were in the training of the model in use and are not test. "
        f"Of the others: {apart.scheme}"
    )
    return Roles(
        dev[roles.train], dev[roles.controller], dev[roles.selection], dev[roles.calibration], test, folds, told
    )


def _grouped(table: Table) -> str:
    return "" if table.group is None else ", and the other rows of their groups would be no fair test"


def _number(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
