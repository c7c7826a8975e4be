"""The last answers by request id, so that labels that come later find them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import RequestError

MOST_ROWS = 20_000


class Recent:
    """Answers of the source model by request id; the oldest go first where there are more than ``most`` rows.

    Args:
        width: shape of one answer: (classes,) or ().
        most: rows kept.

    """

    def __init__(self, width: tuple[int, ...], *, most: int = MOST_ROWS) -> None:
        self.width, self.most = width, most
        self._held: OrderedDict[str, NDArray[Any]] = OrderedDict()
        self._rows = 0
        self._lock = threading.Lock()

    def add(self, ident: str, predictions: NDArray[Any]) -> None:
        """Keep the answers (b, …) of a request; an id that comes again stands for the later request.

        Requests of more rows than are kept are left out.
        """
        if len(predictions) > self.most:
            return
        with self._lock:
            before = self._held.pop(ident, None)
            self._rows -= 0 if before is None else len(before)
            self._held[ident] = predictions
            self._rows += len(predictions)
            while self._rows > self.most:
                self._rows -= len(self._held.popitem(last=False)[1])

    def get(self, ident: str) -> NDArray[Any]:
        """Return the answers of a request.

        Raises:
            RequestError: status 404; the id is unknown or too old.

        """
        with self._lock:
            if ident in self._held:
                return self._held[ident]
        raise RequestError(
            f"no answer of a request {ident[:80]!r} is kept", f"ids of the last {self.most} rows, each once",
            "Send X-Request-ID with requests, and labels soon after", status=404,
        )  # fmt: skip

    def take(self, ident: str) -> None:
        """Forget a request: a label counts once."""
        with self._lock:
            self._rows -= len(self._held.pop(ident, ()))

    def last(self, rows: int) -> NDArray[Any]:
        """Return the latest answers (at most ``rows``, …), in order of arrival."""
        with self._lock:
            parts, count = [], 0
            for part in reversed(self._held.values()):
                parts.append(part)
                count += len(part)
                if count >= rows:
                    break
        found = np.concatenate(parts[::-1]) if parts else np.empty((0, *self.width))
        return found[-rows:]

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return all that is kept, as arrays."""
        with self._lock:
            counts = np.array([len(part) for part in self._held.values()], dtype=np.int64)
            rows = np.concatenate([np.empty((0, *self.width)), *self._held.values()])
            return {"ids": np.array([*self._held], dtype=np.str_), "counts": counts, "rows": rows}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state_dict``."""
        ends = np.cumsum(state["counts"])
        parts = np.split(state["rows"], ends[:-1]) if len(ends) else []
        with self._lock:
            self._held = OrderedDict(zip(state["ids"].tolist(), parts, strict=True))
            self._rows = int(state["counts"].sum())
