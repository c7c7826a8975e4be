"""Served rows that wait for their labels, with all answers that were given for them then; and labelled rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.adaptation.traffic import Traffic
from temperance.records.errors import DataError

TOGETHER = 64  # parts of fewer rows that become one


class Waiting(NamedTuple):
    """Rows whose labels have come: what was known and answered when they were served.

    Shapes: answers of the experts (e, b, …), the mixture's (b, …), those that were sent (b, …).
    """

    traffic: Traffic
    experts: NDArray[Any]
    mixed: NDArray[Any]
    sent: NDArray[Any]


class Pending:
    """The last ``most`` served rows by ticket, a number that counts up.

    Scoring an expert by what it would say now, with all labels so far, would flatter it: a label that came late helps
    with the next row, which was answered long before. So the answers are kept as they were.

    Args:
        most: rows kept.

    """

    def __init__(self, most: int = 8192) -> None:
        self.most = most
        self.next = 0
        self._parts: list[tuple[int, Waiting]] = []
        self._small = 0  # parts of few rows at the end

    @property
    def oldest(self) -> int:
        """The first ticket whose row is still kept."""
        return max(self._parts[0][0], self.next - self.most) if self._parts else self.next

    def add(self, waiting: Waiting) -> NDArray[np.int64]:
        """Keep rows; return their tickets (b,)."""
        count = waiting.traffic.size
        tickets = np.arange(self.next, self.next + count, dtype=np.int64)
        if count:
            self._parts.append((self.next, waiting))
            self.next += count
            self._small = self._small + 1 if count < TOGETHER else 0
            if self._small == TOGETHER:  # requests of few rows: one part is quicker to keep and to search
                self._join(TOGETHER)
        while self._parts and self.next - self._parts[0][0] - self._parts[0][1].traffic.size >= self.most:
            self._parts.pop(0)
        return tickets

    def take(self, tickets: NDArray[Any]) -> tuple[Waiting, NDArray[np.int64]]:
        """Return the rows of tickets that are still kept, in the order of ``tickets``, and which those are (n,).

        Raises:
            DataError: a ticket that was never given out.

        """
        wanted = np.asarray(tickets, dtype=np.int64).ravel()
        if len(wanted) and (wanted.max() >= self.next or wanted.min() < 0):
            raise DataError(f"ticket {int(wanted.max())}", f"tickets below {self.next}", "Pass what serve returned")
        starts = np.array([first for first, _ in self._parts], dtype=np.int64)
        kept = np.flatnonzero(wanted >= self.oldest)
        places = np.searchsorted(starts, wanted[kept], side="right") - 1
        found = [self._row(int(p), int(t)) for p, t in zip(places, wanted[kept], strict=True)]
        if not found:
            raise DataError("none of these rows is kept any more", f"the last {self.most} rows", "Send labels sooner")
        return _joined(found), kept

    def _join(self, count: int) -> None:
        last = self._parts[-count:]
        self._parts[-count:] = [(last[0][0], _joined([one for _, one in last]))]
        self._small = 0

    def state_dict(self) -> State:
        """Return all rows that wait, as arrays."""
        state: State = {"next": np.array(self.next)}
        if self._parts:
            whole = _joined([one for _, one in self._parts])
            state["first"] = np.array(self._parts[0][0])
            state |= {name: np.array(getattr(whole, name)) for name in ("experts", "mixed", "sent")}
            state |= packed([whole.traffic])
        return state

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        self.next, self._parts, self._small = int(state["next"]), [], 0
        if "first" in state:
            rows = Waiting(unpacked(state), *(np.array(state[name]) for name in ("experts", "mixed", "sent")))
            self._parts = [(int(state["first"]), rows)]

    def _row(self, part: int, ticket: int) -> Waiting:
        first, waiting = self._parts[part]
        at = slice(ticket - first, ticket - first + 1)
        return Waiting(waiting.traffic.take(at), waiting.experts[:, at], waiting.mixed[at], waiting.sent[at])


class Labelled:
    """The last ``most`` labelled rows, in the order in which their labels came.

    Args:
        most: rows kept.

    """

    def __init__(self, most: int = 3000) -> None:
        self.most = most
        self.parts: list[tuple[Traffic, NDArray[Any]]] = []

    def add(self, traffic: Traffic, truth: NDArray[Any]) -> None:
        """Keep rows with their truth (b,)."""
        self.parts.append((traffic, truth))
        if len(self.parts) > 1:
            whole, known = self.all()
            self.parts = [(whole.take(slice(-self.most, None)), known[-self.most :])]

    def all(self) -> tuple[Traffic, NDArray[Any]]:
        """Return all rows with their truth (b,); ``add`` comes before."""
        if len(self.parts) > 1:
            self.parts = [(Traffic.stack([p[0] for p in self.parts]), np.concatenate([p[1] for p in self.parts]))]
        return self.parts[0]

    def state_dict(self) -> State:
        """Return all rows, as arrays."""
        if not self.parts:
            return {}
        traffic, truth = self.all()
        return {"truth": truth.copy(), **packed([traffic])}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        self.parts = [(unpacked(state), np.array(state["truth"]))] if "truth" in state else []


def _joined(parts: Sequence[Waiting]) -> Waiting:
    experts = np.concatenate([one.experts for one in parts], axis=1)
    mixed, sent = (np.concatenate([getattr(one, name) for one in parts]) for name in ("mixed", "sent"))
    return Waiting(Traffic.stack([one.traffic for one in parts]), experts, mixed, sent)


def packed(parts: Sequence[Traffic]) -> State:
    """Return the rows of all parts as arrays by name; nothing where there are none."""
    if not parts:
        return {}
    whole = Traffic.stack(parts)
    return {f"rows/{name}": np.array(one) for name, one in whole._asdict().items() if one is not None}


def unpacked(state: Mapping[str, NDArray[Any]]) -> Traffic:
    """Return the rows that ``packed`` put into a state."""
    return Traffic(**{name[5:]: np.array(one) for name, one in state.items() if name.startswith("rows/")})
