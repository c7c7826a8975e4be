"""Choose the winner on held-out rows by paired comparison, and keep the trials that nothing dominates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation import compare
from temperance.records.distributions import normal_quantile
from temperance.records.statistics import paired

ALPHA = 0.16  # one-sided: about one standard error of the paired difference (the one-standard-error rule)
EQUAL, SURE = 0.01, 0.05  # a loss within 1 % of the best is as good, where that is shown at 95 %
DRAWS = 100
MARGINS = {"best": EQUAL, "balanced": 5 * EQUAL}  # share of the best loss that a cheaper one may be worse by


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
    """The winner, why, and each comparison that decided.

    Attributes:
        winner: trial.
        why: one or two plain sentences.
        comparison: each other candidate against the winner.
        optimism: by how much the winner's mean loss on these rows is too good because it was chosen on them.

    """

    winner: str
    why: str
    comparison: tuple[dict[str, Any], ...]
    optimism: float = 0.0


def choose(candidates: Sequence[Candidate], *, metric: str, names: Mapping[str, str], prefer: str = "best") -> Choice:
    """Return the winner among the allowed candidates.

    ``best``: the lowest mean loss; a cheaper one wins only where it is *shown* to be as good (the upper end of the
    one-sided 95 % interval of the paired difference lies within 1 % of the best loss). ``balanced``: within 5 %.
    ``cheap``: the cheapest that is not worse by a standard error: the rule of Breiman et al. (1984), Classification and
    Regression Trees, section 3.4.3, on paired differences.

    Args:
        candidates: finished trials.
        metric: name of the losses, for the words.
        names: of the trials.
        prefer: ``best``, ``balanced`` or ``cheap``, see above.

    """
    usable = [c for c in candidates if c.allowed and np.isfinite(c.losses).all()]
    best = min(usable, key=lambda c: (c.quality, c.price))
    close = {c.id: c is best or _is_close(c, best, prefer) for c in usable}
    winner = min((c for c in usable if close[c.id]), key=lambda c: c.price)
    others = sorted((c for c in usable if c is not winner), key=lambda c: c.quality)
    rows = tuple(_row(winner, c, close[c.id], metric, prefer) for c in others)
    return Choice(winner.id, _why(winner, best, metric, names, prefer), rows, optimism(usable))


def _why(winner: Candidate, best: Candidate, metric: str, names: Mapping[str, str], prefer: str) -> str:
    words = metric.replace("_", " ")
    if winner is best:
        return f"It has the best {words} on rows that it did not train on."
    if prefer == "cheap":
        return (
            f"On rows that it did not train on it is within one standard error of the best ({names[best.id]}), and it "
            "is cheaper to use."
        )
    share = f"{100 * MARGINS[prefer]:g} %"
    return (
        f"It is cheaper to use than the best ({names[best.id]}), and its {words} is shown to be within {share} of it."
    )


def _is_close(other: Candidate, best: Candidate, prefer: str) -> bool:
    """Return whether the other may stand for the best."""
    if prefer == "cheap":
        return not _is_worse(other, best)
    difference = other.losses - best.losses
    error = float(difference.std(ddof=1)) / np.sqrt(len(difference)) if len(difference) > 1 else np.inf
    upper = float(difference.mean()) + normal_quantile(1 - SURE) * error
    return bool(upper <= MARGINS[prefer] * abs(best.quality))


def optimism(candidates: Sequence[Candidate], *, seed: int = 0) -> float:
    """Return how much too good the best mean loss is because it is the best of several, ≥ 0.

    Over random halves of the rows, the candidate that is best on one half is scored on both; the mean gap, divided by
    √2 (a half has twice the variance), is what choosing on all rows flatters by. One candidate has none.
    """
    if len(candidates) < 2:
        return 0.0
    losses = np.stack([c.losses for c in candidates])
    rng, rows = np.random.default_rng(seed), losses.shape[1]
    gaps = []
    for _ in range(DRAWS):
        order = rng.permutation(rows)
        half, other = order[: rows // 2], order[rows // 2 :]
        drawn = losses[:, half].mean(axis=1)
        first = int(np.argmin(drawn))
        gaps.append(losses[first, other].mean() - drawn[first])
    return float(max(0.0, np.mean(gaps)) / np.sqrt(2))


def _is_worse(other: Candidate, best: Candidate) -> bool:
    test = paired(other.losses, best.losses)
    return bool(test.difference > 0 and test.p / 2 < ALPHA)


def _row(winner: Candidate, other: Candidate, close: bool, metric: str, prefer: str) -> dict[str, Any]:
    found = compare(other.losses, winner.losses, metric=metric)
    if prefer == "cheap":
        decision = "within one standard error of the best" if close else "more than one standard error behind the best"
    else:
        share = f"{100 * MARGINS[prefer]:g} %"
        decision = f"shown to be within {share} of the best" if close else f"not shown to be within {share} of the best"
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
