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
AT_ONCE = 256  # arrays that are joined in one call
NONE = np.int64(-1)  # ticket of a row that no adapter saw


class Answered(NamedTuple):
    """Answers (b, …) of the source model, and the adapter's tickets (b,)."""

    answers: NDArray[Any]
    tickets: NDArray[np.int64]


class Recent:
    """Answers of the source model by request id; the oldest go first where there are more than ``most`` rows.

    Args:
        width: shape of one answer: (classes,) or ().
        most: rows kept.

    """

    def __init__(self, width: tuple[int, ...], *, most: int = MOST_ROWS) -> None:
        self.width, self.most = width, most
        self._held: OrderedDict[str, NDArray[Any]] = OrderedDict()
        self._tickets: dict[str, NDArray[np.int64]] = {}  # empty where nothing adapts
        self._rows = 0
        self._lock = threading.Lock()

    def add(
        self, ident: str, predictions: NDArray[Any], tickets: NDArray[np.int64] | None = None, *, more: bool = False
    ) -> None:  # fmt: skip
        """Keep the answers (b, …) of a request; an id that comes again stands for the later request.

        Large requests come in parts: ``more`` joins rows to those before. Requests of more rows than are kept are left
        out.
        """
        with self._lock:
            before, known = self._drop(ident)
            if more:
                if before is None:  # it has been too large already
                    return
                predictions = np.concatenate([before, predictions])
                tickets = None if tickets is None or known is None else np.concatenate([known, tickets])
            if len(predictions) > self.most:
                return
            self._held[ident] = predictions
            if tickets is not None:
                self._tickets[ident] = tickets
            self._rows += len(predictions)
            while self._rows > self.most:
                self._drop(next(iter(self._held)))

    def get(self, ident: str) -> Answered:
        """Return the answers of a request, and their tickets; −1 where no adapter saw them.

        Raises:
            RequestError: status 404; the id is unknown or too old.

        """
        with self._lock:
            if ident in self._held:
                answers = self._held[ident]
                return Answered(answers, self._tickets.get(ident, np.full(len(answers), NONE)))
        raise RequestError(
            f"no answer of a request {ident[:80]!r} is kept", f"ids of the last {self.most} rows, each once",
            "Send X-Request-ID with requests, and labels soon after", status=404,
        )  # fmt: skip

    def take(self, ident: str) -> None:
        """Forget a request: a label counts once."""
        with self._lock:
            self._drop(ident)

    def _drop(self, ident: str) -> tuple[NDArray[Any] | None, NDArray[np.int64] | None]:
        answers = self._held.pop(ident, None)
        self._rows -= 0 if answers is None else len(answers)
        return answers, self._tickets.pop(ident, None)

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
        """Return all that is kept, as arrays.

        Joined in steps: one call over 20,000 requests would hold the interpreter, and all requests, for many
        milliseconds.
        """
        with self._lock:
            idents, held, tickets = [*self._held], [*self._held.values()], {**self._tickets}
        counts = np.array([len(part) for part in held], dtype=np.int64)
        known = np.full(int(counts.sum()), NONE)
        if tickets:
            none = [np.full(len(part), NONE) if ident not in tickets else tickets[ident] for ident, part in
                    zip(idents, held, strict=True)]  # fmt: skip
            known = _joined([known[:0], *none])
        names = [np.array(idents[i : i + AT_ONCE], dtype=np.str_) for i in range(0, len(idents), AT_ONCE)]
        return {
            "ids": np.concatenate([np.empty(0, dtype=np.str_), *names]), "counts": counts, "tickets": known,
            "rows": _joined([np.empty((0, *self.width)), *held]),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state_dict``."""
        ends, idents = np.cumsum(state["counts"]), state["ids"].tolist()
        parts = np.split(state["rows"], ends[:-1]) if len(ends) else []
        tickets = state.get("tickets", np.full(len(state["rows"]), NONE))  # a state of before has none
        known = np.split(tickets, ends[:-1]) if len(ends) else []
        with self._lock:
            self._held = OrderedDict(zip(idents, parts, strict=True))
            self._tickets = {i: one for i, one in zip(idents, known, strict=True) if (one != NONE).all()}
            self._rows = int(state["counts"].sum())


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([np.concatenate(parts[i : i + AT_ONCE]) for i in range(0, len(parts), AT_ONCE)])
