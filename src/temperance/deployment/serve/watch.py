"""What may look at served traffic: the seam between the server and the rooms that monitor and adapt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from temperance.records.schema import Rows
from temperance.records.verdict import Verdict


@runtime_checkable
class Watcher(Protocol):
    """Sees every served row with the prediction of the model as it was shipped; ``monitoring.Monitor`` is one.

    ``observe`` runs on the request path and must be cheap; ``summary`` is read by ``/health`` and ``/metrics``.
    """

    def observe(self, rows: Rows, predictions: NDArray[Any]) -> Sequence[Verdict]:
        """Take served rows and predictions; return the verdicts that changed state just now.

        Shapes: predictions (b, c) or (b,).
        """
        ...

    def summary(self) -> dict[str, Any]:
        """Return a JSON-safe snapshot with at least ``state`` and ``alarms``."""
        ...


@runtime_checkable
class PostProcessor(Protocol):
    """May change predictions before they are sent; ``adaptation.Guarded`` is one."""

    def transform(self, probabilities: NDArray[Any]) -> NDArray[Any]:
        """Return what is sent for the source model's predictions; the same array, where nothing is to change.

        Shapes: (b, c) → (b, c).
        """
        ...

    def summary(self) -> dict[str, Any]:
        """Return a JSON-safe snapshot."""
        ...
