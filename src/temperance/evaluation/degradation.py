"""What got worse since a model was made: its figures now against those of its own test rows, other rows then and now.

The two samples are independent, so the interval of a difference follows from the two intervals alone: with estimates a
(now) and b (then) and their intervals, lower end = (a − b) − √((a − a_low)² + (b_high − b)²), upper end likewise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from temperance.records.distributions import normal_quantile, normal_tail
from temperance.records.measurement import Measurement
from temperance.records.statistics import Interval, holm

Word = Literal["worse", "better", "no evidence of difference"]
SHOWN = 3  # figures that got worse and are told in full
SAID = ("accuracy", "rmse", "mae", "log_loss", "ece", "expected_cost")


@dataclass(frozen=True)
class Change:
    """One figure now and then.

    Attributes:
        name: of the figure.
        now: on these rows.
        then: on the model's own test rows.
        difference: now − then, with its interval.
        p: two-sided, of "no difference", corrected for the count of figures (Holm).
        verdict: what may be said.

    """

    name: str
    now: Measurement
    then: Measurement
    difference: Measurement
    p: float
    verdict: Word

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "name": self.name, "now": self.now.to_dict(), "then": self.then.to_dict(),
            "difference": self.difference.to_dict(), "p": self.p, "verdict": self.verdict,
        }  # fmt: skip


def difference_of(now: Measurement, then: Measurement) -> Interval | None:
    """Return the interval of now − then from their own intervals; None where one has none.

    References:
        Zou and Donner (2008), Statistics in Medicine 27: method of variance estimates recovery.

    """
    if now.low is None or now.high is None or then.low is None or then.high is None:
        return None
    gap = now.value - then.value
    low = gap - math.hypot(now.value - now.low, then.high - then.value)
    high = gap + math.hypot(now.high - now.value, then.value - then.low)
    return Interval(low, high)


def changes(
    now: Sequence[Measurement], record: Mapping[str, Measurement], *, alpha: float = 0.05
) -> tuple[Change, ...]:
    """Compare figures with a record; figures without an interval in both, or in another convention, are left out.

    A figure is called worse (better) where its corrected p is at most ``alpha`` and the interval of its difference
    leaves out 0.
    """
    pairs = [(m, record[m.name], difference_of(m, record[m.name])) for m in now if _fits(m, record)]
    found = [(m, old, gap) for m, old, gap in pairs if gap is not None]
    raised = holm([_p(m.value - old.value, gap, m.confidence) for m, old, gap in found])
    out = []
    for (m, old, gap), p in zip(found, raised, strict=True):
        value = m.value - old.value
        difference = Measurement(
            f"difference/{m.name}", value, gap.low, gap.high, min(m.n, old.n), unit=m.unit, better=m.better,
            convention="now − then, independent rows; interval from both intervals", confidence=m.confidence,
        )  # fmt: skip
        apart = p <= alpha and not gap.low <= 0 <= gap.high
        word: Word = "no evidence of difference"
        if apart:
            word = "better" if (value > 0) == (m.better == "higher") else "worse"
        out.append(Change(m.name, m, old, difference, p, word))
    return tuple(out)


def sentences(found: Sequence[Change]) -> list[str]:
    """Say what got worse, the rest in one sentence."""
    worse = [c for c in found if c.verdict == "worse"]
    out = []
    ranked = sorted(worse, key=lambda c: SAID.index(c.name) if c.name in SAID else len(SAID))
    for c in ranked[:SHOWN]:
        d, then = c.difference, c.then
        ends = "" if then.low is None or then.high is None else f" (between {then.low:.3g} and {then.high:.3g})"
        out.append(
            f"Worse than when it was made: {c.name.replace('_', ' ')} was {then.value:.4g}{ends} on its own {then.n:,} "
            f"test rows and is {c.now.value:.4g} now (change {d.value:+.3g}, between {d.low:+.3g} and {d.high:+.3g})."
        )
    rest = [c.name.replace("_", " ") for c in ranked[SHOWN:]]
    out += [f"Worse too: {', '.join(rest)}."] if rest else []
    if not worse and found:
        out.append(
            f"Against its own record: no figure of {len(found)} is clearly worse than on its own test rows, when it "
            "was made."
        )
    better = [c.name.replace("_", " ") for c in found if c.verdict == "better"]
    return [*out, *([f"Better than its record: {', '.join(better)}."] if better else [])]


def _fits(m: Measurement, record: Mapping[str, Measurement]) -> bool:
    old = record.get(m.name)
    if old is None or m.better == "neither" or not (math.isfinite(m.value) and math.isfinite(old.value)):
        return False
    return _plain(m.convention) == _plain(old.convention)


def _plain(convention: str) -> str:
    """Return a convention without what is said of groups and weights, which the interval holds already."""
    return convention.split("; rows")[0]


def _p(gap: float, interval: Interval, confidence: float) -> float:
    """Return the p value that goes with an interval: the side towards 0 says how many standard errors it is away."""
    reach = interval.high - gap if gap < 0 else gap - interval.low
    if reach <= 0:
        return 1.0 if gap == 0 else 0.0
    return normal_tail(normal_quantile(0.5 + confidence / 2) * gap / reach)
