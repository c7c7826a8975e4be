"""The gate: which map, and how far, so that it helps with near certainty; none where the rows do not prove it.

Every candidate is fitted on all but a part of the rows and judged on that part, in turn, so each row is answered by a
map that never saw it. On the way from "as it is" (share 0) to the fitted map (share 1) the gain in log loss is a
concave curve. The gate stops where the gain less ``margin`` standard errors is largest; where that is at share 0,
nothing changes.

Why this bounds the harm: near the optimum, with z the size of the correction in standard errors and μ its true size,
the stop is at z − margin (or 0), and a step hurts where it is longer than 2μ. Harm then needs z − μ > margin + μ:
probability Φ(−margin) at most, whatever the truth, and less the more there is to correct. An all-or-nothing gate of the
same safety asks for z > 2·margin and leaves the moderate corrections. ``MARGIN`` was set on the tuned half
of the development sets (benchmarks/calibration.py): 0.6 % of the cells were hurt there, against 1.1 % at 1.5. On the
other half none of 283 was hurt; at 1.5 it had been 2.8 % of other splits of it.

Why parts and not one row at a time: with ``_PARTS`` parts each map is fitted on 90 % of the rows, a little worse than
the one that ships, so the error is on the safe side; it holds for any calibrator, for rows in groups, and where a
single row has so much leverage that influence functions do not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from temperance.evaluation.base import CLIP, Array
from temperance.evaluation.calibration.base import Calibrator, Codes, checked, log_softmax
from temperance.evaluation.calibration.beta import Beta
from temperance.evaluation.calibration.identity import Identity
from temperance.evaluation.calibration.matrix import Matrix
from temperance.evaluation.calibration.quadratic import Quadratic
from temperance.evaluation.calibration.temperature import Temperature
from temperance.records.errors import DataError

CALIBRATORS: dict[str, type[Calibrator]] = {c.kind: c for c in (Identity, Temperature, Quadratic, Beta, Matrix)}
MARGIN = 1.75
FEWEST = 20  # rows; with fewer nothing is calibrated
_PARTS = 10
_JUDGED = 5_000  # rows that the gate looks at, evenly taken: what more could prove is below 0.1 %
_FITTED = 20_000  # rows that the map is fitted on; the error of three numbers costs 0.0001 nats there
_SHARES = np.linspace(0.0, 1.0, 21)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the gate decided and on what grounds.

    Attributes:
        calibrator: the map, already shrunk.
        n: rows.
        share: how far it goes, 0 … 1.
        before: log loss without it.
        after: log loss with it, each row answered by a map that did not see it.
        tried: per candidate ``kind``, ``share``, ``gain`` (nats) and ``low``, the gain less ``margin`` errors.
        held_out: (b, c) probabilities of that kind; None where more rows came than the gate looks at.

    """

    calibrator: Calibrator
    n: int
    share: float = 0.0
    before: float | None = None
    after: float | None = None
    tried: tuple[dict[str, Any], ...] = ()
    held_out: Array | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields, without ``held_out``."""
        return {
            "calibrator": self.calibrator.to_dict(), "n": self.n, "share": self.share,
            "before": self.before, "after": self.after, "tried": list(self.tried),
        }  # fmt: skip


def calibrate(
    probabilities: ArrayLike, target: ArrayLike, *, groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None, candidates: Sequence[type[Calibrator]] | None = None,
    margin: float = MARGIN,
) -> Calibration:  # fmt: skip
    """Choose and fit a calibrator that will not hurt; ``Identity`` when in doubt.

    Args:
        probabilities: (b, c), of a model that did not train on these rows.
        target: (b,) class codes.
        groups: (b,) labels of rows that belong together; they are left out together and count as one for errors.
        sample_weight: (b,), not negative.
        candidates: kinds to try; by default temperature, Beta and quadratic (two classes) or temperature and matrix.
        margin: standard errors that the gain must exceed; higher is safer and gains less.

    Raises:
        DataError: no rows, shapes that do not match, weights that are not positive.

    """
    logs, y = checked(probabilities, target)
    known = Rows.of(logs, y, groups, sample_weight)
    if candidates is None:
        candidates = (Temperature, Beta, Quadratic) if logs.shape[1] == 2 else (Temperature, Matrix)
    seen = known.some(_JUDGED)
    held = None if len(seen.target) < len(y) else np.asarray(probabilities, dtype=np.float64)
    parts = seen.parts()
    before = seen.mean(_surprise(log_softmax(seen.logs), seen.target))
    if len(y) < FEWEST or parts is None:
        return Calibration(Identity(), len(y), before=before, after=before, held_out=held)
    best, tried = _Way(Identity, 0.0, 0.0, 0.0, log_softmax(seen.logs)), []
    for kind in candidates:
        way = _way(kind, seen, parts, margin)
        tried.append({"kind": kind.kind, "share": way.share, "gain": way.gain, "low": way.low})
        best = way if way.low > best.low else best
    if best.share == 0.0:
        return Calibration(Identity(), len(y), before=before, after=before, tried=tuple(tried), held_out=held)
    most = known.some(_FITTED)
    final = best.kind.fit(most.logs, most.target, most.weight).shrunk(best.share)
    return Calibration(
        final, len(y), best.share, before, before - best.gain, tuple(tried), None if held is None else np.exp(best.logs)
    )


def calibrator_of(row: dict[str, Any]) -> Calibrator:
    """Return the calibrator that ``to_dict`` wrote.

    Raises:
        DataError: of a kind that is not known.

    """
    if row.get("kind") not in CALIBRATORS:
        raise DataError(f"a calibrator of kind {row.get('kind')!r}", f"one of {', '.join(CALIBRATORS)}")
    return CALIBRATORS[row["kind"]].from_dict(row)


@dataclass(frozen=True, eq=False)
class Rows:
    """Calibration rows: log probabilities (b, c), codes (b,), weights of mean 1 (b,) and group numbers (b,) or None."""

    logs: Array
    target: Codes
    weight: Array
    group: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, logs: Array, y: Codes, groups: ArrayLike | None, sample_weight: ArrayLike | None) -> Rows:
        """Check weights and groups and number the groups.

        Raises:
            DataError: weights or groups that do not fit the rows.

        """
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        group = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        if weight.shape != y.shape or not np.isfinite(weight).all() or weight.min() < 0 or not weight.sum() > 0:
            raise DataError(f"weights of shape {weight.shape}", f"{len(y)} finite weights ≥ 0, not all 0")
        if group is not None and group.shape != y.shape:
            raise DataError(f"groups of shape {group.shape}", f"one label for each of {len(y)} rows")
        return cls(logs, y, weight / weight.mean(), group)

    def take(self, index: Any) -> Rows:
        """Return some of the rows."""
        group = None if self.group is None else self.group[index]
        return Rows(self.logs[index], self.target[index], self.weight[index], group)

    def some(self, most: int) -> Rows:
        """Return at most ``most`` rows, evenly taken."""
        if len(self.target) <= most:
            return self
        return self.take(np.linspace(0, len(self.target) - 1, most).astype(np.int64))

    def parts(self) -> NDArray[np.int64] | None:
        """Return the part (b,) that each row is judged in: groups whole, classes spread; None with a single group."""
        if self.group is not None:
            names, first = np.unique(self.group, return_inverse=True)
            return None if len(names) < 2 else first % min(_PARTS, len(names))
        part = np.empty(len(self.target), dtype=np.int64)
        part[np.argsort(self.target, kind="stable")] = np.arange(len(self.target)) % _PARTS
        return part

    def mean(self, values: Array) -> float:
        """Return the weighted mean of values (b,)."""
        return float(np.average(values, weights=self.weight))

    def error(self, values: Array, least: Array) -> float:
        """Return the standard error of that mean; rows vary by ``least`` (b,) of variance at any rate."""
        centred = self.weight * (values - self.mean(values))
        total, floor = self.weight.sum(), float(self.weight**2 @ least)
        sums = centred if self.group is None else np.bincount(self.group, weights=centred)
        return float(np.sqrt(max(float(sums @ sums), floor)) / total)


@dataclass(frozen=True, eq=False)
class _Way:
    kind: type[Calibrator]
    share: float
    gain: float
    low: float
    logs: Array


def _way(kind: type[Calibrator], rows: Rows, part: NDArray[np.int64], margin: float) -> _Way:
    """Return how far to go towards one kind of map, by rows that it did not see."""
    start, end = log_softmax(rows.logs), np.empty_like(rows.logs)
    for one in range(int(part.max()) + 1):
        seen, left = rows.take(part != one), part == one
        end[left] = log_softmax(kind.fit(seen.logs, seen.target, seen.weight).scores(rows.logs[left]))
    gains, lows = np.zeros(len(_SHARES)), np.zeros(len(_SHARES))
    for i, share in enumerate(_SHARES[1:], start=1):
        gains[i], lows[i] = _gain(rows, start, log_softmax((1 - share) * start + share * end), margin)
    best = int(lows.argmax())
    share = float(_SHARES[best])
    return _Way(kind, share, float(gains[best]), float(lows[best]), log_softmax((1 - share) * start + share * end))


def _gain(rows: Rows, start: Array, moved: Array, margin: float) -> tuple[float, float]:
    """Return the mean gain in log loss and the same less ``margin`` errors.

    The variance is the rows' own or, if larger, what it would be if the model were right: twenty rows without a mistake
    prove nothing about a model that expects one in a hundred.
    """
    gain = _surprise(start, rows.target) - _surprise(moved, rows.target)
    p, change = np.exp(start), moved - start
    mean = (p * change).sum(axis=1)
    expected = np.maximum((p * change**2).sum(axis=1) - mean**2, 0.0)
    value = rows.mean(gain)
    return value, value - margin * rows.error(gain, expected)


def _surprise(logs: Array, target: Codes) -> Array:
    surprise: Array = -np.maximum(logs[np.arange(len(target)), target], np.log(CLIP))
    return surprise
