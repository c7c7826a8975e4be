"""The one thing that evaluation, audit and the server need of a model: raw rows in, probabilities or values out."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from temperance.records.schema import Rows, Schema


@runtime_checkable
class Predictor(Protocol):
    """A fitted model with its preprocessing.

    ``predict`` returns probabilities (b, c), rows summing to 1 (also c = 2 for binary), or values (b,) for regression.
    """

    @property
    def schema(self) -> Schema:
        """Columns and target that the model was fitted on."""
        ...

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,) for raw rows."""
        ...
