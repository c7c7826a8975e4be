"""Choose the winner on selection rows by paired comparison, and keep the trials that nothing dominates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation import compare
from temperance.records.statistics import paired

ALPHA = 0.16  # one-sided: about one standard error of the paired difference (the one-standard-error rule)


@dataclass(frozen=True)
class Candidate:
    """A finished trial as the choice sees it.

    Attributes:
        id: trial.
        losses: (b,) per-row losses of the study's metric on the selection rows, lower is better.
        price: what using it costs: latency of one row in ms, then bytes; smaller is cheaper.
        robustness: mean quality under damage (higher is better), NaN where it was not measured.
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
    def weakness(self) -> float:
        """Robustness turned round: smaller is better; infinite where it was not measured."""
        return -self.robustness if np.isfinite(self.robustness) else float("inf")

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


def choose(candidates: Sequence[Candidate], *, metric: str, names: Mapping[str, str], prefer: str = "best") -> Choice:
    """Return the cheapest candidate that is within one standard error of the best on the same rows.

    The best is the one with the lowest mean loss. Another is *worse* where the paired difference of the per-row losses
    has a one-sided p below ``ALPHA`` (about one standard error). Among the others, the cheapest to use wins.
    Source: the one-standard-error rule of Breiman et al. (1984), Classification and Regression Trees, section 3.4.3,
    on paired differences.
    With ``prefer="best"`` the best itself wins.
    """
    usable = [c for c in candidates if c.allowed and np.isfinite(c.losses).all()]
    best = min(usable, key=lambda c: (c.quality, c.price))
    worse = {c.id: _is_worse(c, best) for c in usable if c is not best}
    equals = [c for c in usable if not worse.get(c.id, False)]
    winner = best if prefer == "best" else min(equals, key=lambda c: c.price)
    words = metric.replace("_", " ")
    if winner is not best:
        why = (
            f"On the selection rows it is within one standard error of the best ({names[best.id]}), and it is cheaper "
            "to use."
        )
    else:
        why = f"It has the best {words} on the selection rows"
        why += "." if len(equals) > 1 else "; every other model is worse."
    others = sorted((c for c in usable if c is not winner), key=lambda c: c.quality)
    return Choice(winner.id, why, tuple(_row(winner, c, worse.get(c.id, False), metric) for c in others))


def _is_worse(other: Candidate, best: Candidate) -> bool:
    test = paired(other.losses, best.losses)
    return bool(test.difference > 0 and test.p / 2 < ALPHA)


def _row(winner: Candidate, other: Candidate, worse: bool, metric: str) -> dict[str, Any]:
    found = compare(winner.losses, other.losses, metric=metric)
    decision = "worse by more than one standard error" if worse else "within one standard error of the best"
    return {"against": other.id, "difference": found.difference.to_dict(), "p": found.p, "decision": decision}


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
    """Return what is compared, smaller is better."""
    return c.quality, c.weakness, c.latency_1_ms, c.bytes, c.seconds
