"""How a change came: at once, slowly, for a while, or again and again. Histograms of successive windows tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.base import State
from temperance.monitoring.shift import SMALL, stability_index
from temperance.records.errors import DataError

WINDOW = 512  # rows of a window
MOST = 48  # windows kept; where there are more, two neighbours become one
FEW = 4  # windows before anything is said
JUMP = 0.5  # share of the whole way that one step must make to count as sudden
Way = Literal["none", "sudden", "slow", "passing", "recurring", "too early to say"]
WORDS = {
    "none": "",
    "too early to say": "",
    "sudden": "It came at once, near row {row:,}.",
    "slow": "It has been building up slowly since about row {row:,}.",
    "passing": "It came near row {row:,} and has gone again.",
    "recurring": "It comes and goes; it came for the first time near row {row:,}.",
}


class Course:
    """Counts per channel, window and bin, and what their sequence says.

    A window is far where its stability index against the reference exceeds 0.1, the usual limit of "small", plus what
    chance alone gives for counts of this size: (bins − 1) · (1 / m + 1 / n) (Yurdakul and Naranjo 2020). *Recurring*:
    far, near and far again, each for at least a window. *Passing*: far, and near at the end. *Sudden*: one step between
    windows makes at least half of the way from the first windows to the last. *Slow*: otherwise.

    Args:
        counts: reference rows per bin (c, bins).

    Reference:
        Yurdakul, Naranjo (2020), "Statistical properties of the population stability index", for the chance part.

    """

    def __init__(self, counts: NDArray[Any]) -> None:
        self.reference = np.asarray(counts, dtype=np.float64)
        self.windows = np.zeros((0, *self.reference.shape), dtype=np.int32)
        self.rows = np.zeros(0, dtype=np.int64)  # rows of each window
        self.now = np.zeros(self.reference.shape, dtype=np.int32)
        self.held = 0

    def observe(self, codes: NDArray[np.int8]) -> None:
        """Take codes (c, b) in order of arrival; those below 0 say nothing."""
        channels, bins = self.reference.shape
        flat = np.where(codes >= 0, codes + bins * np.arange(channels)[:, None], channels * bins)
        found = np.bincount(flat.ravel(), minlength=channels * bins + 1)[:-1].reshape(channels, bins)
        self.now += found.astype(np.int32)
        self.held += codes.shape[1]
        if self.held >= WINDOW:
            self.windows = np.concatenate([self.windows, self.now[None]])
            self.rows = np.append(self.rows, self.held)
            self.now, self.held = np.zeros_like(self.now), 0
            if len(self.windows) > MOST:
                self._halve()

    def way(self, channel: int) -> tuple[Way, int]:
        """Return how the change of a channel came, and the row near which it began (−1 where none did)."""
        if len(self.windows) < FEW:
            return "too early to say", -1
        distance, chance = self.distances(channel)
        far = distance > SMALL + chance
        starts = np.concatenate([[0], np.cumsum(self.rows)[:-1]])
        if not far.any():
            return "none", -1
        first = int(starts[int(far.argmax())])
        steps = np.diff(np.concatenate([[False], far, [False]]).astype(int))
        begun, ended = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        calm_between = begun[1:] - ended[:-1]
        if len(begun) > 1 and (calm_between >= 1).sum() >= 1 and (ended - begun).max() >= 1 and len(begun) >= 2:
            return "recurring", first
        if not far[-1]:
            return "passing", first
        level = self._level(channel)
        whole = np.abs(level[-2:].mean() - level[:2].mean()) if len(level) > FEW else np.abs(level[-1] - level[0])
        begin = int(begun[0])
        step = np.abs(np.diff(level))[max(0, begin - 2) : begin + 2]
        if begin == 0 or (whole > 0 and step.max(initial=0.0) >= JUMP * whole):
            return "sudden", first
        return "slow", first

    def sentence(self, channel: int) -> str:
        """Return how it came in words; empty where nothing is to be said."""
        way, row = self.way(channel)
        return WORDS[way].format(row=max(0, row))

    def distances(self, channel: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the stability index of each window (w,), and what chance alone gives (w,)."""
        reference = self.reference[channel]
        counts = self.windows[:, channel]
        distance = np.array([stability_index(reference, one) for one in counts])
        bins = int((reference > 0).sum())
        seen = np.maximum(counts.sum(axis=1), 1)
        return distance, max(0, bins - 1) * (1 / max(1.0, float(reference.sum())) + 1 / seen)

    def _level(self, channel: int) -> NDArray[np.float64]:
        """Return each window's place on the way from the reference to the farthest window, by its bins' shares (w,)."""
        counts = self.windows[:, channel].astype(np.float64)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        before = self.reference[channel] / max(1.0, float(self.reference[channel].sum()))
        gaps = np.cumsum(shares - before, axis=1)
        far = gaps[int(np.abs(gaps).sum(axis=1).argmax())]
        norm = float(far @ far)
        return np.asarray(gaps @ far / norm) if norm > 0 else np.zeros(len(gaps))

    def _halve(self) -> None:
        """Join the two oldest neighbours that have the fewest rows between them."""
        pairs = self.rows[:-1] + self.rows[1:]
        at = int(pairs.argmin())
        self.windows[at] += self.windows[at + 1]
        self.rows[at] += self.rows[at + 1]
        self.windows = np.delete(self.windows, at + 1, axis=0)
        self.rows = np.delete(self.rows, at + 1)

    def state_dict(self) -> State:
        """Return a copy of all that changes."""
        return {
            "windows": self.windows.copy(), "rows": self.rows.copy(), "now": self.now.copy(),
            "held": np.array(self.held),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken.

        Raises:
            DataError: the state is of other channels or bins.

        """
        if state["now"].shape != self.reference.shape:
            raise DataError(f"state of {state['now'].shape}", f"{self.reference.shape}", "Load the matching state")
        self.windows, self.rows = np.array(state["windows"]), np.array(state["rows"])
        self.now, self.held = np.array(state["now"]), int(state["held"])
