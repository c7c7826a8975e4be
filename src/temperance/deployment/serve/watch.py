"""What may look at served traffic: the seam between the server and the rooms that monitor and adapt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
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


class Remembers(Protocol):
    """Keeps answers by request id; ``recent.Recent`` is one."""

    def add(
        self, ident: str, predictions: NDArray[Any], tickets: NDArray[np.int64] | None = None, *, more: bool = False
    ) -> None:  # fmt: skip
        """Keep the answers (b, …) of a request, or of ``more`` of its rows, with the adapter's tickets (b,)."""
        ...


class Elsewhere(Protocol):
    """The process that holds what all workers share; ``workers.Line`` is the way there."""

    metrics: Any

    async def ask(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, bytes, str, tuple[tuple[bytes, bytes], ...]]:
        """Return status, body, content type and further headers of the answer."""
        ...


@runtime_checkable
class PostProcessor(Protocol):
    """May change predictions before they are sent; ``adaptation.Steward`` is one."""

    def serve(self, rows: Rows, answers: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return what is sent for the source model's answers, the same array where nothing is to change, and tickets.

        Shapes: (b, c) or (b,) → alike, and (b,).
        """
        ...

    def summary(self) -> dict[str, Any]:
        """Return a JSON-safe snapshot."""
        ...
