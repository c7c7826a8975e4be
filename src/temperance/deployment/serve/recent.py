"""The last answers by request id, with the adapter's tickets, so that labels that come later find both."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import RequestError

MOST_ROWS = 20_000
NONE = np.int64(-1)  # ticket of a row that no adapter saw


class Answered(NamedTuple):
    """Answers (b, …) of the source model, and the adapter's tickets (b,) where there is one."""

    answers: NDArray[Any]
    tickets: NDArray[np.int64] | None = None

    @property
    def known(self) -> NDArray[np.int64]:
        """The tickets (b,); −1 where there are none."""
        return np.full(len(self.answers), NONE) if self.tickets is None else self.tickets

    def joined(self, more: Answered) -> Answered:
        """Return these rows and more."""
        tickets = None if more.tickets is None else np.concatenate([self.known, more.known])
        return Answered(np.concatenate([self.answers, more.answers]), tickets)


NOTHING = Answered(np.empty(0))


class Recent:
    """Answers of the source model by request id; the oldest go first where there are more than ``most`` rows.

    Args:
        width: shape of one answer: (classes,) or ().
        most: rows kept.

    """

    def __init__(self, width: tuple[int, ...], *, most: int = MOST_ROWS) -> None:
        self.width, self.most = width, most
        self._held: OrderedDict[str, Answered] = OrderedDict()
        self._rows = 0
        self._lock = threading.Lock()

    def add(
        self, ident: str, predictions: NDArray[Any], tickets: NDArray[np.int64] | None = None, *, more: bool = False
    ) -> None:  # fmt: skip
        """Keep the answers (b, …) of a request; an id that comes again stands for the later request.

        Large requests come in parts: ``more`` joins rows to those before. Requests of more rows than are kept are left
        out.
        """
        given = Answered(predictions, tickets)
        with self._lock:
            before = self._held.pop(ident, None)
            if more and before is None:  # it has been too large already
                return
            self._rows -= 0 if before is None else len(before.answers)
            if more and before is not None:
                given = before.joined(given)
            if len(given.answers) > self.most:
                return
            self._held[ident] = given
            self._rows += len(given.answers)
            while self._rows > self.most:
                self._rows -= len(self._held.popitem(last=False)[1].answers)

    def get(self, ident: str) -> Answered:
        """Return the answers of a request, and their tickets.

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
            self._rows -= len(self._held.pop(ident, NOTHING).answers)

    def last(self, rows: int) -> NDArray[Any]:
        """Return the latest answers (at most ``rows``, …), in order of arrival."""
        with self._lock:
            parts, count = [], 0
            for part in reversed(self._held.values()):
                parts.append(part.answers)
                count += len(part.answers)
                if count >= rows:
                    break
        found = np.concatenate(parts[::-1]) if parts else np.empty((0, *self.width))
        return found[-rows:]

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return all that is kept, as arrays."""
        with self._lock:
            held = [*self._held.values()]
            idents = np.array([*self._held], dtype=np.str_)
        counts = np.array([len(part.answers) for part in held], dtype=np.int64)
        rows = np.concatenate([np.empty((0, *self.width)), *(part.answers for part in held)])
        tickets = np.concatenate([np.empty(0, dtype=np.int64), *(part.known for part in held)])
        return {"ids": idents, "counts": counts, "rows": rows, "tickets": tickets}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state_dict``."""
        ends = np.cumsum(state["counts"])
        tickets = state.get("tickets")
        tickets = np.full(len(state["rows"]), NONE) if tickets is None else tickets  # a state of before has none
        both = [np.split(array, ends[:-1]) if len(ends) else [] for array in (state["rows"], tickets)]
        parts = [Answered(*pair) for pair in zip(*both, strict=True)]
        with self._lock:
            self._held = OrderedDict(zip(state["ids"].tolist(), parts, strict=True))
            self._rows = int(state["counts"].sum())
