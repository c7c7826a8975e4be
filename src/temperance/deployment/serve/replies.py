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
        self._width = bundle.half_width() if bundle.has_interval else None

    def rows(self, predictions: NDArray[Any]) -> list[dict[str, Any]]:
        """Return one object per row.

        Shapes: predictions (b, c) or (b,).
        """
        if self._classes:
            chosen = self.answered(predictions)
            return [self._shares(row, name) for row, name in zip(predictions.tolist(), chosen, strict=True)]
        return [self._value(value) for value in predictions.tolist()]

    def bounds(self, predictions: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """Return ``low`` and ``high`` (b,), or nothing where the bundle has no intervals."""
        if self._width is None:
            return {}
        return {"low": predictions - self._width, "high": predictions + self._width}

    def answered(self, probabilities: NDArray[Any]) -> list[str]:
        """Return the class answered for each row."""
        return [self._classes[k] for k in self._bundle.answers(probabilities)]

    def _shares(self, shares: list[float], name: str) -> dict[str, Any]:
        return {"prediction": name, "probabilities": dict(zip(self._classes, shares, strict=True))}

    def _value(self, value: float) -> dict[str, Any]:
        if self._width is None:
            return {"prediction": value}
        return {"prediction": value, "low": value - self._width, "high": value + self._width}
