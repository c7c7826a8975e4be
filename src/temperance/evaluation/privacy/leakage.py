"""What an attack on membership achieves: rates at low false alarms with intervals, and the area under its curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.metrics.roc_auc import components
from temperance.records.errors import DataError, SettingError
from temperance.records.intervals import clopper_pearson, mean_interval
from temperance.records.measurement import Measurement

Array = NDArray[np.float64]
RATES = (0.001, 0.01, 0.1)
LEAST_ALARMS = 10  # false alarms that a rate must rest on
DECIDES = (0.01, 0.1)  # the rate of the verdict: the lowest of these that was measured
SERIOUS, SOME = 10.0, 2.0  # times the false-alarm rate, by the lower end of the interval
Verdict = Literal[
    "no better than guessing", "a little better than guessing", "some rows can be recognised", "serious",
    "too few rows to say",
]  # fmt: skip


@dataclass(frozen=True)
class Leakage:
    """What one attack achieved.

    Attributes:
        attack: its name.
        auc: area under its curve; 0.5 is guessing.
        rates: share of learned rows that it finds, by false-alarm rate; those that the rows can carry.
        not_done: (rate, why) of the others.
        verdict: in words, by the lower end of the interval at 1 % false alarms, or at 10 % where rows are few. Up to
            twice that rate it is "a little better than guessing" where the area lies clearly above one half.
        members: count of rows that were learned.
        others: count of rows that were not.

    """

    attack: str
    auc: Measurement
    rates: tuple[Measurement, ...]
    not_done: tuple[tuple[str, str], ...]
    verdict: Verdict
    members: int
    others: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "attack": self.attack,
            "auc": self.auc.to_dict(),
            "rates": [{**rate.to_dict(), "at": float(rate.name.rpartition("@")[2])} for rate in self.rates],
            "not_done": [{"what": what, "why": why} for what, why in self.not_done],
            "verdict": self.verdict,
            "members": self.members,
            "others": self.others,
        }


def leakage(attack: str, scores: Array, member: NDArray[np.bool_]) -> Leakage:
    """Measure an attack by its scores.

    A rate at false-alarm rate α takes the ⌊α·n₀⌋ highest scores of rows that were not learned as false alarms; it is
    given where that is at least 10 rows.

    Args:
        attack: name, e.g. ``rmia``.
        scores: (b,) higher means rather learned.
        member: (b,) whether the row was learned.

    Raises:
        DataError: scores that are not finite, or rows of one kind alone.

    """
    values, inside = np.asarray(scores, dtype=np.float64), np.asarray(member, dtype=bool)
    if values.shape != inside.shape or values.ndim != 1 or not np.isfinite(values).all():
        raise DataError(f"scores {values.shape} for {inside.shape} rows", "one finite score per row")
    members, others = int(inside.sum()), int((~inside).sum())
    if not members or not others:
        raise DataError(f"{members} learned rows and {others} others", "some of each", "Give rows of both kinds")
    rates, not_done = [], []
    for rate in RATES:
        alarms = math.floor(rate * others + 1e-9)
        if alarms < LEAST_ALARMS:
            needed = math.ceil(LEAST_ALARMS / rate)
            why = f"it needs {needed:,} rows that were not learned, and there are {others:,}"
            not_done.append((f"{100 * rate:g} % false alarms", why))
        else:
            rates.append(true_rate(attack, values, inside, rate=rate))
    area = _area(attack, values, inside)
    return Leakage(attack, area, tuple(rates), tuple(not_done), _verdict(attack, rates, area), members, others)


def true_rate(attack: str, scores: Array, member: NDArray[np.bool_], *, rate: float) -> Measurement:
    """Return the share of learned rows above the score that ``rate`` of the others pass.

    Ties with that score do not count as found. The interval is Clopper and Pearson's on the learned rows; the score is
    taken as given.

    Args:
        attack: name.
        scores: (b,).
        member: (b,).
        rate: of false alarms, in (0, 1).

    Raises:
        SettingError: a rate outside (0, 1).

    """
    if not 0 < rate < 1:
        raise SettingError(f"rate = {rate}", "a number in (0, 1)")
    outside = np.sort(scores[~member])[::-1]
    limit = outside[min(len(outside) - 1, math.floor(rate * len(outside) + 1e-9))]
    found, n = int((scores[member] > limit).sum()), int(member.sum())
    low, high = clopper_pearson(found, n)
    return Measurement(
        f"leakage/{attack}/tpr@{rate:g}", found / n, low, high, n, better="lower",
        convention=f"share of learned rows found at {100 * rate:g} % false alarms; Clopper-Pearson interval",
    )  # fmt: skip


def _area(attack: str, scores: Array, member: NDArray[np.bool_]) -> Measurement:
    parts = components(scores, member)
    if min(int(member.sum()), int((~member).sum())) > 1:
        low, high = mean_interval(parts, scale="unit")
    else:
        low, high = 0.0, 1.0
    return Measurement(
        f"leakage/{attack}/auc", float(parts.mean()), low, high, len(scores), better="lower",
        convention="area under the curve of the attack, ties count half; DeLong interval on the logit scale",
    )  # fmt: skip


def _verdict(attack: str, rates: list[Measurement], area: Measurement) -> Verdict:
    known = {rate.name: rate for rate in rates}
    for rate in DECIDES:
        found = known.get(f"leakage/{attack}/tpr@{rate:g}")
        if found is None or found.low is None:
            continue
        if rate == DECIDES[0] and found.low > SERIOUS * rate:
            return "serious"
        if found.low > SOME * rate:
            return "some rows can be recognised"
        return "a little better than guessing" if _above_guessing(area) else "no better than guessing"
    return "too few rows to say"


def _above_guessing(area: Measurement) -> bool:
    """Return whether an area lies above one half by more than three standard errors (three attacks are asked)."""
    return area.low is not None and area.value - 0.5 > 3 / 1.96 * (area.value - area.low)
