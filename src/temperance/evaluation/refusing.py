"""A model from outside that fails on some damaged rows: such a row has no answer, and counts as wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError, TaskError
from temperance.records.predictor import Predictor
from temperance.records.schema import MISSING, UNSEEN, Rows, Schema

_REFUSALS = (DataError, TaskError)  # a server that is gone, or a damaged file, is a fault and no answer
FOREIGN = ("onnx", "torch", "sklearn", "predictor")  # kinds of models that may fail on rows unlike their own
Mask = NDArray[np.bool_]


@dataclass(eq=False)
class Refusing:
    """A predictor that gives NaN for rows on which the inner one fails.

    A batch that fails is halved until single rows are found. Which cells such a row lacks (missing numbers, missing and
    unknown categories) is remembered: rows that lack these cells too, and perhaps more, are taken to fail alike, so
    that a model which takes no missing values is not asked a thousand times.

    Attributes:
        inner: the model.
        refused: count of rows without an answer so far.
        why: reason of the last refusal that was seen.

    """

    inner: Predictor
    refused: int = 0
    why: str = ""
    _lacks: list[Mask] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        """Columns and target."""
        return self.inner.schema

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,), NaN where there is no answer."""
        outputs = len(self.schema.target.classes)
        out = np.full((rows.size, outputs) if outputs else (rows.size,), np.nan)
        lacking = _lacking(rows)
        todo = [np.arange(rows.size)]
        while todo:
            part = todo.pop()
            part = part[~self._alike(lacking[part])]
            if not len(part):
                continue
            try:
                out[part] = np.asarray(self.inner.predict(rows.take(part)), dtype=np.float64)
            except _REFUSALS as fault:
                if len(part) == 1:
                    self.why = fault.received.split(". ")[0]
                    self.refused += 1
                    self._remember(lacking[part[0]])
                else:
                    half = len(part) // 2
                    todo += [part[half:], part[:half]]
        return out

    def sentence(self) -> str:
        """Say how many rows had no answer, and why; empty where each had one."""
        if not self.refused:
            return ""
        return f"On {self.refused:,} damaged rows the model fails ({self.why.rstrip('.')}); they count as wrong."

    def _alike(self, lacking: Mask) -> Mask:
        """Return which rows lack all the cells of some row that failed, and count them."""
        found = np.zeros(len(lacking), dtype=bool)
        for one in self._lacks:
            found |= lacking[:, one].all(axis=1)
        self.refused += int(found.sum())
        return found

    def _remember(self, mask: Mask) -> None:
        if mask.any():
            self._lacks = [one for one in self._lacks if not one[mask].all()] + [mask]


def _lacking(rows: Rows) -> Mask:
    """Return which cells (b, ·) a row lacks; nothing for pictures, texts and series."""
    codes = rows.categorical
    return np.concatenate([np.isnan(rows.numeric), codes == MISSING, codes == UNSEEN], axis=1)
