"""A published result as something to test: figures per seed, bounds on their means, a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scipy import stats

Figures = dict[str, float]


@dataclass(frozen=True)
class Check:
    """A bound on the mean of one figure over the seeds.

    Attributes:
        figure: name of the figure that ``Shape.run`` returns per seed.
        words: what the figure is, for a reader of the technique's card.
        low: smallest mean that counts as reproduced; None: no bound.
        high: largest mean that counts as reproduced; None: no bound.
        techniques: addresses of the techniques on whose card it is shown.
        beside: it stands on the cards, but the claim does not rest on it.

    """

    figure: str
    words: str
    low: float | None = None
    high: float | None = None
    techniques: tuple[str, ...] = ()
    beside: bool = False

    @property
    def bound(self) -> str:
        return f"at least {self.low:g}" if self.low is not None else f"at most {self.high:g}"

    def holds(self, mean: float) -> bool:
        return (
            math.isfinite(mean) and (self.low is None or mean >= self.low) and (self.high is None or mean <= self.high)
        )

    def judge(self, values: list[float]) -> dict[str, Any]:
        """Return mean, 95 % t interval over the seeds, and whether the mean keeps the bound."""
        mean, low, high = interval(values)
        clear = self.holds(low) and self.holds(high)
        return {
            "figure": self.figure, "words": self.words, "bound": self.bound, "mean": mean, "low": low, "high": high,
            "n": len(values), "holds": self.holds(mean), "clear": clear, "techniques": list(self.techniques),
            "beside": self.beside,
        }  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """One published result.

    Attributes:
        id: P1 to P12.
        claim: what was published, in plain words.
        paper: where.
        settings: data, net and training; fixed before the first run and never tuned.
        needs: exported names without which it cannot run.
        seeds: how many runs.
        run: seed → figures.
        checks: what must hold.

    """

    id: str
    claim: str
    paper: str
    settings: str
    needs: tuple[str, ...]
    seeds: int
    run: Callable[[int], Figures]
    checks: tuple[Check, ...]

    def verdict(self, per_seed: list[Figures]) -> dict[str, Any]:
        """Return the judged checks, the means of all figures and the verdict."""
        judged = [check.judge([one[check.figure] for one in per_seed]) for check in self.checks]
        names = dict.fromkeys(name for one in per_seed for name in one)
        means = {name: interval([one[name] for one in per_seed]) for name in names}
        return {
            "verdict": "reproduced" if all(one["holds"] for one in judged if not one["beside"]) else "not reproduced",
            "checks": judged,
            "figures": {name: dict(zip(("mean", "low", "high"), value, strict=True)) for name, value in means.items()},
        }


def interval(values: list[float]) -> tuple[float, float, float]:
    """Return mean and 95 % Student t interval; NaN bounds from one value."""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, math.nan, math.nan
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    half = float(stats.t.ppf(0.975, n - 1)) * spread / math.sqrt(n)
    return mean, mean - half, mean + half
