"""Predictions as JSON: one object per row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle


class Replies:
    """Writes the answers of one bundle.

    Classification: ``prediction`` (the class) and ``probabilities`` (class → share).
    Regression: ``prediction`` (the value) and, where the bundle has intervals, ``low`` and ``high``.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._classes = bundle.classes
        self._width = bundle.half_width() if bundle.has_interval else None

    def rows(self, predictions: NDArray[Any]) -> list[dict[str, Any]]:
        """Return one object per row.

        Shapes: predictions (b, c) or (b,).
        """
        if self._classes:
            return [self._shares(row) for row in predictions.tolist()]
        return [self._value(value) for value in predictions.tolist()]

    def bounds(self, predictions: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """Return ``low`` and ``high`` (b,), or nothing where the bundle has no intervals."""
        if self._width is None:
            return {}
        return {"low": predictions - self._width, "high": predictions + self._width}

    def _shares(self, shares: list[float]) -> dict[str, Any]:
        best = shares.index(max(shares))
        return {"prediction": self._classes[best], "probabilities": dict(zip(self._classes, shares, strict=True))}

    def _value(self, value: float) -> dict[str, Any]:
        if self._width is None:
            return {"prediction": value}
        return {"prediction": value, "low": value - self._width, "high": value + self._width}
