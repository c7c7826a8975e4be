"""Many sequential drift tests side by side, with one false-alarm rate over all of them.

Per channel: conformal p-values on binned values against a reference that grows with the traffic (exact under
exchangeability, for any size of reference), a portfolio of bets on them, and a Shiryaev-Roberts e-detector
R ← f(p) · (1 + R) for each bet (Shin, Ramdas and Rinaldo 2022, arXiv 2203.03532; Vovk et al. 2021).

Guarantee. With C channels and threshold 2·C·A for every channel: the chance of any alarm within the first n undrifted
rows is at most n / (2A), so the average run length over all channels together is at least A. Reason: in each channel
E[R_n] = n and R is a submartingale, so P(max R ≥ 2CA) ≤ n / (2CA) (Doob); the channels add up by the union bound,
however they depend on each other; Σ P(no alarm by n) ≥ A. It assumes that undrifted traffic and reference rows could
be swapped freely (exchangeable); it holds for the first alarm, and starts anew at ``reset``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.betting import CELLS, COARSE, FORGET, fixed_bets, learned_bets
from temperance.records.errors import DataError, SettingError

BLOCK = 64  # rows handled at once: one bit of a 64-bit word each
SKIP = -1  # code of a row that says nothing about a channel
_EARLIER = np.array([(1 << i) - 1 for i in range(BLOCK)], dtype=np.uint64)  # bits of the rows before row i
TRACE = 1 / 512  # forgetting per row of the histogram shown to people


class Panel:
    """Shiryaev-Roberts e-detectors for c channels of bin codes.

    Args:
        counts: reference rows per bin (c, bins); the reference grows from there.
        average_run_length: undrifted rows until the first false alarm of any channel, on average, at least.
        tolerance: shift in standard deviations of the normal score that is not worth an alarm.
        seed: of the random tie breaks.

    """

    def __init__(
        self, counts: NDArray[Any], *, average_run_length: float = 100_000, tolerance: float = 0.0, seed: int = 0
    ) -> None:
        counts = np.array(counts, dtype=np.int64)
        if counts.ndim != 2 or counts.shape[1] < 2 or counts.shape[1] > 120 or counts.min(initial=0) < 0:
            raise DataError(f"counts have shape {counts.shape}", "(channels, 2…120 bins), none negative", "Check bins")
        if not average_run_length >= 1:
            raise SettingError(
                f"average_run_length={average_run_length}", "a number of rows ≥ 1", "The default is 100000"
            )
        if not 0 <= tolerance <= 1:
            raise SettingError(f"tolerance={tolerance}", "0 to 1 standard deviations", "Use 0 for any change at all")
        self.channels = len(counts)
        self.average_run_length, self.tolerance = float(average_run_length), float(tolerance)
        self.threshold = 2.0 * max(1, self.channels) * self.average_run_length
        self._start, self._fixed = counts, fixed_bets(self.tolerance)
        self._random = np.random.Generator(np.random.PCG64(seed))
        self.reset()

    @property
    def bets(self) -> int:
        """Count of bets per channel."""
        return int(self._fixed.shape[1]) + len(FORGET)

    def reset(self, *, accept: bool = False) -> None:
        """Start anew; with ``accept`` the traffic seen so far stays part of the reference."""
        if not accept:
            self.counts = self._start.copy()
        self.evidence = np.zeros((self.channels, self.bets))
        self.recent = np.zeros((self.channels, COARSE, len(FORGET)))
        self.trace = np.zeros(self.counts.shape)
        self.n = np.zeros(self.channels, dtype=np.int64)
        self.alarmed_at = np.full(self.channels, -1, dtype=np.int64)

    def observe(self, codes: NDArray[np.int8]) -> NDArray[np.float64]:
        """Take codes (c, b) in order of arrival, ``SKIP`` where a row says nothing; return the evidence (c,).

        Raises:
            DataError: codes of another count of channels.

        """
        if codes.ndim != 2 or len(codes) != self.channels:
            raise DataError(f"codes have shape {codes.shape}", f"({self.channels}, rows)", "Encode all channels")
        for first in range(0, codes.shape[1], BLOCK):
            self._block(codes[:, first : first + BLOCK])
        return self.values()

    def values(self) -> NDArray[np.float64]:
        """Return the evidence per channel (c,): the mean over its bets; compare with ``threshold``."""
        mean: NDArray[np.float64] = self.evidence.mean(axis=1)
        return mean

    @property
    def alarmed(self) -> NDArray[np.bool_]:
        """Channels (c,) in alarm: from the threshold up, until the evidence falls below its square root."""
        flags: NDArray[np.bool_] = self.alarmed_at >= 0
        return flags

    def _block(self, codes: NDArray[np.int8]) -> None:
        rows = codes.shape[1]
        if rows < BLOCK:
            codes = np.pad(codes, ((0, 0), (0, BLOCK - rows)), constant_values=SKIP)
        valid = codes >= 0
        cells = (self._p_values(codes, valid) * CELLS).astype(np.int64)
        self._wager(cells, valid, rows)
        self._learn(cells, valid, codes)
        self.n += valid.sum(axis=1)
        evidence = self.values()
        self.alarmed_at[(evidence >= self.threshold) & (self.alarmed_at < 0)] = self.n.max(initial=0)
        self.alarmed_at[evidence < np.sqrt(self.threshold)] = -1

    def _p_values(self, codes: NDArray[np.int8], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return smoothed conformal p-values (c, BLOCK): p = (#less + u · (#equal + 1)) / (n + 1), past rows only."""
        before = _EARLIER[None, :] & _bits(valid)[:, None]
        lower, alike = self._compare(codes, before)
        less, equal = np.bitwise_count(lower), np.bitwise_count(alike)
        code = np.where(valid, codes, 0).astype(np.intp)
        below = np.cumsum(self.counts, axis=1)
        same = np.take_along_axis(self.counts, code, axis=1)
        under = np.take_along_axis(below, code, axis=1) - same
        u = self._random.random(codes.shape)
        total = below[:, -1:] + np.bitwise_count(before)
        p: NDArray[np.float64] = (under + less + u * (same + equal + 1)) / (total + 1)
        return np.minimum(p, 1 - 1e-12)

    def _compare(
        self, codes: NDArray[np.int8], before: NDArray[np.uint64]
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Return, per row, the earlier rows of the block with a lower and with the same code, as bits: (c, BLOCK) each.

        A comparison of all pairs at once: one word per channel and binary digit of the codes, highest digit first.
        """
        lower, alike = np.zeros_like(before), before.copy()
        places = np.arange((self.counts.shape[1] - 1).bit_length() - 1, -1, -1, dtype=np.int8)
        digits = codes[None] >> places[:, None, None] & 1
        masks = (-digits.astype(np.int64)).view(np.uint64)  # all ones where the digit is one
        for word, mask in zip(_bits(digits.view(np.bool_))[:, :, None], masks, strict=True):
            lower |= alike & mask & ~word
            alike &= ~(word ^ mask)
        return lower, alike

    def _wager(self, cells: NDArray[np.int64], valid: NDArray[np.bool_], rows: int) -> None:
        """Run R ← f(p) · (1 + R) over the rows; a skipped row leaves R as it is."""
        flat, used = cells.T[:rows], valid.T[:rows]  # (rows, c)
        fixed, home = self._fixed.shape[1], np.arange(self.channels) * COARSE
        learned = learned_bets(self.recent, self.tolerance).reshape(-1, len(FORGET))
        pay = np.empty((rows, self.channels, self.bets))
        pay[..., :fixed] = np.take(self._fixed, flat, axis=0)
        pay[..., fixed:] = np.take(learned, home + flat // (CELLS // COARSE), axis=0)
        pay[~used] = 1.0
        one = np.repeat(used.astype(np.float64), self.bets, axis=1)
        evidence = self.evidence.ravel()
        for more, factor in zip(one, pay.reshape(rows, -1), strict=True):
            evidence += more
            evidence *= factor
        self.evidence = np.minimum(evidence, self.threshold * self.bets).reshape(self.channels, self.bets)

    def _learn(self, cells: NDArray[np.int64], valid: NDArray[np.bool_], codes: NDArray[np.int8]) -> None:
        """Let the reference and the learning bets see the block; a channel in alarm keeps its reference."""
        seen = valid.sum(axis=1)
        fresh = self._count(cells // (CELLS // COARSE), valid, COARSE)
        for j, rate in enumerate(FORGET):
            self.recent[:, :, j] = self.recent[:, :, j] * ((1 - rate) ** seen)[:, None] + fresh
        new = self._count(codes, valid, self.counts.shape[1])
        self.trace = self.trace * ((1 - TRACE) ** seen)[:, None] + new
        self.counts += new * (self.alarmed_at < 0)[:, None]

    def _count(self, places: NDArray[Any], valid: NDArray[np.bool_], width: int) -> NDArray[np.int64]:
        """Return how often each place occurs per channel (c, width); rows that are not valid are left out."""
        size = self.channels * width
        flat = np.where(valid, places + np.arange(self.channels)[:, None] * width, size)
        counted: NDArray[np.int64] = np.bincount(flat.ravel(), minlength=size + 1)[:size].reshape(-1, width)
        return counted

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return a copy of all that changes, as arrays; the random state is kept as its 128-bit words."""
        inner = self._random.bit_generator.state
        words = [inner["state"]["state"], inner["state"]["inc"]]
        parts = [w >> s & 0xFFFFFFFFFFFFFFFF for w in words for s in (64, 0)]
        names = ("counts", "evidence", "recent", "trace", "n", "alarmed_at")
        return {**{k: getattr(self, k).copy() for k in names}, "random": np.array(parts, dtype=np.uint64)}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken.

        Raises:
            DataError: the state is of other channels or bins.

        """
        for name in ("counts", "evidence", "recent", "trace", "n", "alarmed_at"):
            held, given = getattr(self, name), np.asarray(state[name])
            if held.shape != given.shape:
                raise DataError(f"state {name!r} has shape {given.shape}", f"{held.shape}", "Load the matching state")
            setattr(self, name, given.astype(held.dtype, copy=True))
        parts = [int(word) for word in state["random"]]
        inner: dict[str, Any] = dict(self._random.bit_generator.state)
        inner["state"] = {"state": parts[0] << 64 | parts[1], "inc": parts[2] << 64 | parts[3]}
        self._random.bit_generator.state = inner


def _bits(flags: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack the last axis (64 flags) into one word each."""
    packed: NDArray[np.uint64] = np.packbits(flags, axis=-1, bitorder="little").view("<u8")[..., 0]
    return packed
