"""Is the traffic of now like the traffic that labels are known for? If not, what labels have proven proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State

WINDOW, STEP, KEPT = 96, 32, 1024  # rows of now, between the windows of before, of before
BINS = 5  # of confidence per class for two classes, of predicted values
ROOM = 1.25, 0.1  # how much farther than any window of before, as a factor and in total variation


class Ground:
    """Compares the source model's answers of the last ``WINDOW`` rows with those of labelled rows.

    Answers go into bins: the class (two classes: the confidence in one of them, in five), or fifths of the reference's
    values. The distance of a window is its total variation from the shares over all labelled rows in memory. The ground
    holds while the window of now is not farther off than the farthest window of labelled rows, times 1.25 plus 0.1. So
    traffic that comes in runs, or has a daily course, is measured by its own habits.

    Args:
        sample: answers of the reference, (m, c) probabilities or (m,) values.

    """

    def __init__(self, sample: NDArray[Any]) -> None:
        self.classes = sample.shape[1] if sample.ndim == 2 else 0
        number = sample[:, 1] if self.classes == 2 else sample if not self.classes else np.zeros(1)
        self.low, self.high = (-np.inf, np.inf) if self.classes else (float(sample.min()), float(sample.max()))
        self.edges = np.unique(np.quantile(number, np.arange(1, BINS) / BINS))
        self.bins = self.classes if self.classes > 2 else len(self.edges) + 1
        self.now = np.empty(0, dtype=np.int64)
        self.known = np.empty(0, dtype=np.int64)
        self._farthest = (-1, 0.0)

    def see(self, answers: NDArray[Any]) -> None:
        """Take answers (b, …) of served rows, in order."""
        self.now = np.concatenate([self.now, self._codes(answers)])[-WINDOW:]

    def tell(self, answers: NDArray[Any]) -> None:
        """Take answers (b, …) of rows whose labels have come, in order."""
        self.known = np.concatenate([self.known, self._codes(answers)])[-KEPT:]
        self._farthest = (-1, 0.0)

    def covers(self, answers: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which values (b,) lie among those of the reference; of classes, all (b,)."""
        if self.classes:
            return np.ones(len(answers), dtype=np.bool_)
        return np.asarray((answers >= self.low) & (answers <= self.high))

    def holds(self) -> bool:
        """Return whether labels of before say something about the traffic of now; True while too little is known."""
        if len(self.now) < WINDOW or len(self.known) < 2 * WINDOW:
            return True
        whole = self._shares(self.known)
        if self._farthest[0] < 0:
            windows = [self.known[i : i + WINDOW] for i in range(0, len(self.known) - WINDOW + 1, STEP)]
            self._farthest = (1, max(_apart(self._shares(one), whole) for one in windows))
        factor, more = ROOM
        return _apart(self._shares(self.now), whole) <= factor * self._farthest[1] + more

    def _codes(self, answers: NDArray[Any]) -> NDArray[np.int64]:
        if self.classes > 2:
            return np.asarray(answers.argmax(axis=1), dtype=np.int64)
        number = answers[:, 1] if self.classes else answers
        return np.searchsorted(self.edges, number, side="right")

    def _shares(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.bincount(codes, minlength=self.bins) / len(codes)

    def state_dict(self) -> State:
        """Return what changes."""
        return {"now": self.now.copy(), "known": self.known.copy()}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state_dict``."""
        self.now, self.known = np.array(state["now"]), np.array(state["known"])
        self._farthest = (-1, 0.0)


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the total variation distance, 0 to 1."""
    return 0.5 * float(np.abs(a - b).sum())
