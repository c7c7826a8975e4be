"""How far from the source model what is served may go: as far as what labels have proven could pay for."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State

STEPS = np.array([0, 0.03, 0.045, 0.06, 0.09, 0.12, 0.18, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.7, 1.0])  # reaches
HORIZON = 256  # rows over which the risk of a row is averaged
GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, fill (0, 1) evenly
SPAN = 2000  # served rows whose winnings may be risked: the stretch over which a change must not have lost


class Reach:
    """The trust region of a change: served is s + λ (m − s), source s and mixture m, with λ by a ledger.

    *Risk* of a row: what the changed answer would cost if the source model were right: p_s(its class) − p_s(the new
    class), or λ² (m − s)² over the target's variance. *Bank*: a credit, and what the change has won on rows that were
    sent, as labels tell; what was won long ago fades. λ is the largest step at which the risk of as many rows as are
    out at once (labels are late) stays within the bank, and a share of the rows goes one step farther. A row that would
    overdraw the bank gets the source's answer. So where a change turns useless before its first label says so, it has
    cost about the credit more than it won: it ends with the bank.

    Small λ are cheap: what is won grows with λ, what is risked with λ², and of classes those flip first that the
    source is least sure of.

    Args:
        unit: squared errors of values count in it; 0 for classes.
        credit: wrong answers (values: of ``unit``) that a change may cost before it has won anything.

    """

    def __init__(self, unit: float, *, credit: float) -> None:
        self.unit, self.credit = unit, credit
        self.bank, self.total = credit, 0.0  # total: won since the change began
        self.won: deque[tuple[int, float]] = deque()  # newest ticket and worth of labels, in order of arrival
        self.curve = np.zeros(len(STEPS))  # mean risk of a row at each step
        self.seen = 0
        self.lag, self.share = 0.0, 1.0  # rows until a label comes; share of the rows that get one
        self.newest = -1
        self.outstanding = 0.0  # risk of rows that were sent and whose labels are still to come
        self._out: deque[tuple[int, NDArray[np.float64]]] = deque()

    def begin(self) -> None:
        """Begin a change with the credit."""
        self.bank, self.total, self.outstanding = self.credit, 0.0, 0.0
        self.won.clear()
        self._out.clear()

    def observe(self, source: NDArray[Any], mixed: NDArray[Any]) -> NDArray[np.float64]:
        """Take rows as they are served; return their risk at each step (steps, b)."""
        risks = self._risks(source, mixed)
        weight = max(1 / (self.seen + 1), 1 - (1 - 1 / HORIZON) ** len(source))
        self.curve += weight * (risks.mean(axis=1) - self.curve)
        self.seen += 1
        return risks

    def grant(self, first: int, risks: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return λ (b,) of rows from ticket ``first`` on, and note what they risk."""
        count = risks.shape[1]
        self._reckon(first)
        out = max(self.lag, float(first - self.newest), 1.0) * self.share
        each = max(self.bank, 0.0) / out
        step = int(np.flatnonzero(self.curve <= each)[-1])
        steps = np.full(count, step)
        if step + 1 < len(STEPS):  # a share of the rows goes one step farther: flips of a class come all at one step
            share = (each - self.curve[step]) / (self.curve[step + 1] - self.curve[step])
            steps += ((first + np.arange(count)) * GOLDEN) % 1 < share
        risk = risks[steps, np.arange(count)] * self.share
        fits = self.outstanding + np.cumsum(risk) <= self.bank
        taken = np.where(fits, risk, 0.0)
        self._out.append((first, taken))
        self.outstanding += float(taken.sum())
        return np.where(fits, STEPS[steps], 0.0)

    def tell(self, tickets: NDArray[Any], worth: NDArray[Any], now: int) -> None:
        """Take labels: what each row that was sent has won (b,); ``now`` is the next ticket."""
        self.total += float(worth.sum())
        self.won.append((int(tickets.max()), float(worth.sum())))
        self._reckon(now)
        self.lag += 0.1 * (float(now - np.mean(tickets)) - self.lag) if self.newest >= 0 else float(now - tickets.min())
        ahead = int(tickets.max()) - self.newest
        if ahead > 0:
            known = min(1.0, len(tickets) / ahead)
            self.share += (known - self.share) * (1 - 0.98 ** min(ahead, 100)) if self.newest >= 0 else known - 1.0
            self.newest = int(tickets.max())
        while self._out and self._out[0][0] <= self.newest:
            first, risk = self._out.popleft()
            gone = self.newest + 1 - first
            self.outstanding -= float(risk[:gone].sum())
            if gone < len(risk):
                self._out.appendleft((first + gone, risk[gone:]))
        if not self._out:
            self.outstanding = 0.0  # without the rounding of a long sum

    @property
    def spent(self) -> bool:
        """Nothing is left to risk."""
        return self.bank <= 0.2 * self.credit

    def _reckon(self, now: int) -> None:
        """Set the bank as of ticket ``now``."""
        while self.won and self.won[0][0] < now - SPAN:
            self.won.popleft()
        self.bank = self.credit + min(self.total, sum(worth for _, worth in self.won))

    def _risks(self, source: NDArray[Any], mixed: NDArray[Any]) -> NDArray[np.float64]:
        if source.ndim == 1:
            return np.asarray(np.square(STEPS)[:, None] * ((mixed - source) ** 2 / self.unit))
        steps = STEPS[:, None, None]
        chosen = ((1 - steps) * source + steps * mixed).argmax(axis=2)
        rows = np.arange(len(source))
        return np.asarray(source.max(axis=1) - source[rows, chosen], dtype=np.float64)

    def state_dict(self) -> State:
        """Return all that changes."""
        figures = [self.bank, self.lag, self.share, float(self.newest), float(self.seen), self.outstanding, self.total]
        return {
            "figures": np.array(figures), "curve": self.curve.copy(),
            "won": np.array(self.won, dtype=np.float64).reshape(-1, 2),
            "starts": np.array([first for first, _ in self._out], dtype=np.int64),
            "counts": np.array([len(risk) for _, risk in self._out], dtype=np.int64),
            "out": np.concatenate([np.empty(0), *(risk for _, risk in self._out)]),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        self.bank, self.lag, self.share = (float(x) for x in state["figures"][:3])
        self.newest, self.seen = int(state["figures"][3]), int(state["figures"][4])
        self.outstanding, self.total = float(state["figures"][5]), float(state["figures"][6])
        self.won = deque((int(ticket), float(worth)) for ticket, worth in state["won"])
        self.curve = np.array(state["curve"])
        parts = np.split(state["out"], np.cumsum(state["counts"])[:-1]) if len(state["counts"]) else []
        self._out = deque((int(first), np.array(risk)) for first, risk in zip(state["starts"], parts, strict=True))
