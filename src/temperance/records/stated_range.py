"""The range around a predicted number: split-conformal, of one width or of a width that follows the prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import BundleError, SettingError

Array = NDArray[np.float64]
LEVELS = (0.5, 0.8, 0.9, 0.95)
LEVEL = 0.9
BIN_ROWS, MOST_BINS = 50, 8  # held-out rows per bin that a width is read from, and bins
PRIOR_ROWS = 10.0  # rows' worth of the mean size that each bin starts with
FOLDS = 5
SURE = 2.0  # standard errors by which a width that follows the prediction must be better


@dataclass(frozen=True)
class Scale:
    """How the size of a miss follows the prediction: piecewise linear between ``at``, flat beyond; 1 on average."""

    at: tuple[float, ...]
    size: tuple[float, ...]

    def of_values(self, values: NDArray[Any]) -> Array:
        """Return the factor of each prediction.

        Shapes: (b,) → (b,).
        """
        found: Array = np.interp(values, self.at, self.size)
        return found

    @classmethod
    def fit(cls, values: NDArray[Any], sizes: NDArray[Any]) -> Scale | None:
        """Read the mean size of a miss from bins of the prediction, each drawn to the mean of all; None for few rows.

        Shapes: values and sizes (n,).
        """
        bins = min(MOST_BINS, len(values) // BIN_ROWS)
        whole = float(np.mean(sizes)) if len(sizes) else 0.0
        if bins < 2 or whole <= 0:
            return None
        parts = np.array_split(np.argsort(values, kind="stable"), bins)
        at = np.array([np.median(values[part]) for part in parts])
        size = np.array([(sizes[part].sum() + PRIOR_ROWS * whole) / (len(part) + PRIOR_ROWS) for part in parts])
        at, first = np.unique(at, return_index=True)
        if len(at) < 2:
            return None
        size = size[first] / float(np.mean(np.interp(values, at, size[first])))
        return cls(tuple(at.tolist()), tuple(size.tolist()))


@dataclass(frozen=True)
class StatedRange:
    """Half widths of prediction intervals by level: [value − half, value + half], half = half width · scale(value).

    Attributes:
        levels: shares of rows that the intervals hold, rising.
        half_widths: one per level, at a scale of 1.
        level: the one that is served.
        n: held-out rows that they rest on.
        scale: how the width follows the prediction; None: one width for all.
        floor: no range goes below it; None: no floor.

    """

    levels: tuple[float, ...]
    half_widths: tuple[float, ...]
    level: float = LEVEL
    n: int = 0
    scale: Scale | None = None
    floor: float | None = None

    @classmethod
    def of(
        cls, residuals: NDArray[Any], values: NDArray[Any] | None = None, *, levels: tuple[float, ...] = LEVELS,
        level: float = LEVEL, seed: int = 0, floor: float | None = None,
    ) -> StatedRange:  # fmt: skip
        """Take split-conformal half widths from residuals of held-out rows.

        The half width at level a is the ⌈(n + 1)·a⌉-th smallest score; a level that n rows cannot carry
        ((n + 1)·a > n) is left out. Coverage ≥ a for exchangeable rows (Lei et al. 2018, arXiv 1604.04173, §2.2). The
        score is |residual|; with ``values``, |residual| / scale(value) where that makes better ranges: the scale of a
        row then comes from the other folds of these rows, and it is kept where the interval score (Gneiting & Raftery
        2007, equation 43) gains by more than ``SURE`` standard errors.

        Shapes: residuals and values (n,).

        Raises:
            BundleError: too few residuals for ``level``.

        """
        sizes = np.abs(np.asarray(residuals, dtype=np.float64))
        plain = cls._ranked(sizes, levels, level)
        made = cls(tuple(plain), tuple(plain.values()), level, len(sizes), floor=floor)
        if values is None:
            return made
        told = np.asarray(values, dtype=np.float64)
        apart, scale = _out_of_fold(told, sizes, seed), Scale.fit(told, sizes)
        if apart is None or scale is None:
            return made
        scaled = cls._ranked(sizes / apart, levels, level)
        gain = _score(sizes, np.full(len(sizes), plain[level]), level) - _score(sizes, apart * scaled[level], level)
        if gain.mean() <= SURE * gain.std(ddof=1) / math.sqrt(len(gain)):
            return made
        return cls(tuple(scaled), tuple(scaled.values()), level, len(sizes), scale, floor)

    @staticmethod
    def _ranked(scores: Array, levels: tuple[float, ...], level: float) -> dict[float, float]:
        ordered = np.sort(scores)
        ranks = {a: math.ceil((len(ordered) + 1) * a - 1e-9) for a in sorted({*levels, level})}
        kept = {a: float(ordered[rank - 1]) for a, rank in ranks.items() if rank <= len(ordered)}
        if level not in kept:
            raise BundleError(
                f"{len(ordered)} residuals for an interval at level {level}", f"at least {rows_for(level)}"
            )
        return kept

    def half(self, level: float | None = None) -> float:
        """Return the half width at a level and a scale of 1.

        Raises:
            BundleError: no width for this level.

        """
        wanted = self.level if level is None else float(level)
        known = dict(zip(self.levels, self.half_widths, strict=True))
        if wanted not in known:
            raise BundleError(f"no interval at level {wanted}", f"levels are {', '.join(map(str, self.levels))}")
        return known[wanted]

    def bounds(self, values: NDArray[Any], level: float | None = None) -> tuple[Array, Array]:
        """Return (low, high) around predictions.

        Shapes: (b,) → (b,), (b,).

        Raises:
            BundleError: no width for this level.

        """
        told = np.asarray(values, dtype=np.float64)
        half: Any = self.half(level)
        if self.scale is not None:
            half = half * self.scale.of_values(told)
        low, high = told - half, told + half
        return low if self.floor is None else np.minimum(np.maximum(low, self.floor), high), high

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        method = "split conformal on absolute residuals"
        scale = None if self.scale is None else {"at": list(self.scale.at), "size": list(self.scale.size)}
        return {
            "method": method if scale is None else f"{method} over their size at the prediction", "level": self.level,
            "levels": list(self.levels), "half_widths": list(self.half_widths), "n": self.n, "scale": scale,
            "floor": self.floor,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> StatedRange:
        """Rebuild from ``to_dict``, of this version or an older one."""
        found, floor = row.get("scale"), row.get("floor")
        scale = Scale(tuple(map(float, found["at"])), tuple(map(float, found["size"]))) if found else None
        levels, widths = (tuple(map(float, row[key])) for key in ("levels", "half_widths"))
        if len(levels) != len(widths) or (scale and len(scale.at) != len(scale.size)):
            raise ValueError("levels and widths that do not fit one another")
        return cls(
            levels, widths, float(row["level"]), int(row.get("n", 0)), scale, None if floor is None else float(floor)
        )


def check_level(level: float | None) -> float:
    """Return the level, 0.9 for None.

    Raises:
        SettingError: it is no share between 0 and 1.

    """
    if level is None:
        return LEVEL
    if not 0 < level < 1:
        raise SettingError(
            f"an interval at level {level}", "a share between 0 and 1, such as 0.8", "Write 0.8 for 80 %"
        )
    return float(level)


def rows_for(level: float) -> int:
    """Return the fewest held-out rows that carry a level: the least n with (n + 1)·level ≤ n."""
    return math.ceil(level / (1 - level) - 1e-9)


def _out_of_fold(values: Array, sizes: Array, seed: int) -> Array | None:
    """Return each row's scale from the other folds (n,); None where rows are few."""
    fold = np.random.default_rng([seed, 0x5CA1E]).permutation(len(values)) % FOLDS
    found = np.empty(len(values))
    for k in range(FOLDS):
        scale = Scale.fit(values[fold != k], sizes[fold != k])
        if scale is None:
            return None
        found[fold == k] = scale.of_values(values[fold == k])
    return found


def _score(sizes: Array, half: Array, level: float) -> Array:
    """Return the interval score of each row: width + 2/(1 − level) · distance outside."""
    score: Array = 2 * half + 2 / (1 - level) * np.maximum(sizes - half, 0.0)
    return score
