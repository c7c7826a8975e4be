"""Choose the winner on selection rows by paired comparison, and keep the trials that nothing dominates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.measurement import Measurement
from temperance.records.statistics import paired

ALPHA = 0.16  # one-sided: about one standard error of the paired difference (the one-standard-error rule)


@dataclass(frozen=True)
class Candidate:
    """A finished trial as the choice sees it.

    Attributes:
        id: trial.
        losses: (b,) per-row losses of the study's metric on the selection rows, lower is better.
        price: what using it costs: latency of one row in ms, then bytes; smaller is cheaper.
        robustness: loss of quality under damage (lower is better), NaN where it was not measured.
        seconds: training time.
        latency_1_ms: latency of one row.
        bytes: size.
        allowed: within ``--max-latency`` and ``--max-size``.

    """

    id: str
    losses: NDArray[np.float64]
    robustness: float
    seconds: float
    latency_1_ms: float
    bytes: float
    allowed: bool = True

    @property
    def quality(self) -> float:
        """Mean loss."""
        return float(self.losses.mean())

    @property
    def price(self) -> tuple[float, float]:
        """Cost of use, the dearest first."""
        return self.latency_1_ms, self.bytes


@dataclass(frozen=True)
class Choice:
    """The winner, why, and each comparison that decided."""

    winner: str
    why: str
    comparison: tuple[dict[str, Any], ...]


def choose(candidates: Sequence[Candidate], *, metric: str, names: Mapping[str, str]) -> Choice:
    """Return the cheapest candidate that is not clearly worse than the best on the same rows.

    The best is the one with the lowest mean loss. Another counts as *clearly worse* where the paired difference of the
    per-row losses has a one-sided p below ``ALPHA`` (about one standard error). Among those that are not clearly worse,
    the one that is cheapest to use wins.
    Source: the one-standard-error rule of Breiman et al. (1984), Classification and Regression Trees, section 3.4.3,
    on paired differences.
    """
    usable = [c for c in candidates if c.allowed and np.isfinite(c.losses).all()]
    best = min(usable, key=lambda c: (c.quality, c.price))
    rows, equals = [], [best]
    for other in sorted(usable, key=lambda c: c.quality):
        if other is best:
            continue
        test = paired(other.losses, best.losses)
        worse = test.difference > 0 and test.p / 2 < ALPHA
        if not worse:
            equals.append(other)
        rows.append(_row(other, test, worse, metric))
    winner = min(equals, key=lambda c: c.price)
    why = f"{names[winner.id]} has the lowest {metric} on the selection rows"
    if winner is not best:
        why = f"no clear difference to {names[best.id]} on the selection rows, and {names[winner.id]} is cheaper to use"
    elif len(equals) > 1:
        why += ", and nothing as good is cheaper to use"
    return Choice(winner.id, why, tuple(rows))


def _row(other: Candidate, test: Any, worse: bool, metric: str) -> dict[str, Any]:
    difference = Measurement(
        f"{metric} difference", test.difference, test.low, test.high, test.n, better="lower",
        convention=f"this trial − best, mean of per-row losses, {test.method}", confidence=test.confidence,
    )  # fmt: skip
    decision = "clearly worse" if worse else "no clear difference"
    return {"against": other.id, "difference": difference.to_dict(), "p": test.p, "decision": decision}


def frontier(candidates: Sequence[Candidate]) -> list[str]:
    """Return the trials that no other one beats or equals in quality, robustness and cost at once (Pareto frontier)."""
    kept = []
    for one in candidates:
        if not any(_dominates(other, one) for other in candidates if other is not one):
            kept.append(one.id)
    return kept


def _dominates(a: Candidate, b: Candidate) -> bool:
    first, second = _axes(a), _axes(b)
    return all(x <= y for x, y in zip(first, second, strict=True)) and first != second


def _axes(c: Candidate) -> tuple[float, ...]:
    toughness = c.robustness if np.isfinite(c.robustness) else float("inf")
    return c.quality, toughness, c.latency_1_ms, c.bytes, c.seconds
