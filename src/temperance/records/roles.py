"""Which row plays which part. The roles are disjoint: nothing that is decided on one is measured on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Roles:
    """Row indices by role; all of one ``Table``, or ``test`` of a second one when ``test_is_separate``.

    Attributes:
        train: rows that gradients come from.
        controller: rows that controllers read (may be empty).
        selection: rows that choose the winner (empty when ``folds`` are used).
        calibration: rows for temperature and conformal intervals (empty when ``folds`` are used).
        test: rows used once, at the end.
        folds: pairs (train rows, held-out rows) for out-of-fold predictions; empty for large data.
        scheme: one plain sentence on how the split was made.
        test_is_separate: ``test`` indexes the table of ``--test``.

    """

    train: Index
    controller: Index
    selection: Index
    calibration: Index
    test: Index
    folds: tuple[tuple[Index, Index], ...] = ()
    scheme: str = ""
    test_is_separate: bool = False

    @property
    def refit(self) -> Index:
        """Rows that the shipped model is refitted on: train, controller and selection."""
        return np.sort(np.concatenate([self.train, self.controller, self.selection]))

    @property
    def development(self) -> Index:
        """Rows that some fold holds out."""
        return np.sort(np.concatenate([held for _, held in self.folds])) if self.folds else np.empty(0, dtype=np.int64)

    @property
    def judged(self) -> Index:
        """Rows whose answers choose and weigh: all that a fold holds out, or the selection rows."""
        return self.development if self.folds else self.selection

    @property
    def parts(self) -> Index:
        """Number of the fold that holds out each of ``judged``; thirds of them where there are no folds."""
        if not self.folds:
            return np.arange(len(self.selection)) % 3
        number = np.empty(int(self.development.max()) + 1, dtype=np.int64)
        for fold, (_, held) in enumerate(self.folds):
            number[held] = fold
        return number[self.development]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts and the scheme (the indices go to ``roles.npz``)."""
        counts = {
            name: len(getattr(self, name)) for name in ("train", "controller", "selection", "calibration", "test")
        }
        return {
            "scheme": self.scheme,
            "counts": counts,
            "folds": len(self.folds),
            "test_is_separate": self.test_is_separate,
        }


def sample(rows: Index, most: int, *, seed: int = 0) -> Index:
    """Return at most ``most`` of the rows, drawn at random (a file is often sorted: its head is not like the rest)."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
