"""Predictions as JSON: one object per row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle


class Replies:
    """Writes the answers of one bundle.

    Classification: ``prediction`` (the class; of the least expected cost where the bundle has costs) and
    ``probabilities`` (class → share).
    Regression: ``prediction`` (the value) and, where the bundle has intervals, ``low`` and ``high``.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle, self._classes = bundle, bundle.classes

    def rows(self, predictions: NDArray[Any]) -> list[dict[str, Any]]:
        """Return one object per row.

        Shapes: predictions (b, c) or (b,).
        """
        if self._classes:
            chosen = self.answered(predictions)
            return [self._shares(row, name) for row, name in zip(predictions.tolist(), chosen, strict=True)]
        columns = {"prediction": predictions, **self.bounds(predictions)}
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in values]

    def bounds(self, predictions: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """Return ``low`` and ``high`` (b,), or nothing where the bundle has no intervals."""
        if not self._bundle.has_interval:
            return {}
        low, high = self._bundle.bounds(predictions)
        return {"low": low, "high": high}

    def answered(self, probabilities: NDArray[Any]) -> list[str]:
        """Return the class answered for each row.

        Shapes: probabilities (b, c).
        """
        return [self._classes[k] for k in self._bundle.answers(probabilities)]

    def _shares(self, shares: list[float], name: str) -> dict[str, Any]:
        return {"prediction": name, "probabilities": dict(zip(self._classes, shares, strict=True))}
