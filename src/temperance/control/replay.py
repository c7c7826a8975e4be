"""Move strengths as an earlier run did, by fraction of the training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from temperance.control.base import Controller, Memory, Move, Specs, Values, controllers
from temperance.control.signal import Signals, read

Path = tuple[str, tuple[float, ...], tuple[float, ...]]


@controllers.add
@dataclass(frozen=True, repr=False)
class Replay(Controller):
    """Give each strength the value it had at this fraction of an earlier run.

    Formula: s(t) = the value of the last recorded move at or before t; before the first move it stays as set.

    Attributes:
        paths: per strength (address, fractions rising, values), equally long.

    Use when: a model is refitted on more rows and must be regularized as it was when it was chosen.

    """

    paths: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        fixed = tuple((str(a), tuple(map(float, f)), tuple(map(float, v))) for a, f, v in self.paths)
        object.__setattr__(self, "paths", fixed)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"progress"})

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        new: Values = {}
        for address, fractions, values in self.paths:
            if address not in strengths:
                continue
            now = read(signals, "progress", strengths[address].shape)
            place = np.searchsorted(np.asarray(fractions), now, side="right") - 1
            known = np.isfinite(now) & (place >= 0)
            new[address] = np.where(known, np.asarray(values)[np.maximum(place, 0)], strengths[address])
        return new, memory

    def why(self, address: str, change: float, error: float) -> str:
        return "as in the run that was chosen"


def from_traces(traces: Sequence[Iterable[Move]], *, grid: int = 100) -> Replay:
    """Return the replay of one trace, or of the mean of several (folds) on a common grid of fractions."""
    kept = [[m for m in trace if math.isfinite(m.fraction) and m.strength != "training"] for trace in traces]
    addresses = sorted({m.strength for trace in kept for m in trace})
    if len(kept) == 1:
        return Replay(tuple(_exact(address, kept[0]) for address in addresses))
    fractions = np.linspace(0.0, 1.0, grid + 1)
    paths = []
    for address in addresses:
        curves = np.array([_sampled(_exact(address, trace), fractions) for trace in kept])
        known = np.isfinite(curves).all(axis=0)
        if known.any():
            paths.append((address, tuple(fractions[known]), tuple(curves.mean(axis=0)[known])))
    return Replay(tuple(paths))


def _exact(address: str, trace: Iterable[Move]) -> Path:
    moves = sorted((m for m in trace if m.strength == address), key=lambda m: m.fraction)
    return address, tuple(m.fraction for m in moves), tuple(m.value for m in moves)


def _sampled(path: Path, fractions: np.ndarray) -> np.ndarray:
    _, when, values = path
    place = np.searchsorted(np.asarray(when), fractions, side="right") - 1
    known = np.asarray([*values, np.nan])
    return known[np.where(place >= 0, place, len(values))]
