"""Categories that the model has never seen: new ones, misspelt ones, and rare ones in the place of common ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.records.schema import UNSEEN, Rows

_LEVELS = (0.05, 0.1, 0.2, 0.3, 0.5)


@final
@dataclass(frozen=True)
class UnknownCategory(Corruption):
    """Categories become one that is not known: new, or misspelt so that no reader takes it for a known one."""

    name = "unknown_category"
    words = "some categories are new or misspelt (share of all categories)"
    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of cells."""
        return _LEVELS

    def applies(self, reference: Reference) -> bool:
        """Need a column of categories."""
        return reference.schema.kind == "table" and len(reference.schema.categorical) > 0

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with the code of an unseen category in the cells hit."""
        hit = generator.random(rows.categorical.shape) < level
        return rows._replace(categorical=np.where(hit, np.int32(UNSEEN), rows.categorical))


@final
@dataclass(frozen=True)
class WrongCategory(Corruption):
    """Categories become another known one, each as likely as any: a wrong line of a drop-down list."""

    name = "wrong_category"
    words = "some categories are another one of their list (share of all categories)"
    kind = "table"
    basic = False

    def levels(self, reference: Reference) -> tuple[float, ...]:
        """Return shares of cells."""
        return _LEVELS

    def applies(self, reference: Reference) -> bool:
        """Need a column with two categories."""
        return reference.schema.kind == "table" and any(len(c.vocabulary) > 1 for c in reference.schema.categorical)

    def corrupt(self, rows: Rows, *, level: float, reference: Reference, generator: np.random.Generator) -> Rows:
        """Return rows with another code in the cells hit."""
        codes = rows.categorical.copy()
        drawn, pick = generator.random(codes.shape), generator.random(codes.shape)
        for j, column in enumerate(reference.schema.categorical):
            count = len(column.vocabulary)
            if count < 2:
                continue
            step = 1 + np.floor(pick[:, j] * (count - 1)).astype(np.int32)
            other = np.where(codes[:, j] >= 0, (codes[:, j] + step) % count, step)
            codes[:, j] = np.where(drawn[:, j] < level, other, codes[:, j])
        return rows._replace(categorical=codes)
