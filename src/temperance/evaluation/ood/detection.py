"""How well a score tells strange rows from known ones: the figures, each under one definition.

Scores s, larger = stranger. Two figures go by the name "FPR95" in the field and can differ by 40 points; here each has
its own name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from temperance.evaluation.base import Array
from temperance.records.errors import DataError
from temperance.records.measurement import Measurement

LEVEL = 0.95
_SLACK = 1e-12  # shares are sums of floats

CONVENTIONS = {
    "auroc": "chance that a strange row scores above a known one, ties count half",
    "aupr": "average precision, strange rows are the positives",
    "far@95detect": "share of known rows that are flagged where at least 95 % of strange rows are (OpenOOD's FPR@95)",
    "miss@95keep": "share of strange rows that are kept where at least 95 % of known rows are (FPR@95 as in ODIN)",
}


def auroc(known: Array, strange: Array) -> float:
    """Return P(s of a strange row > s of a known one) + ½ P(equal).

    Shapes: (n,), (m,).
    """
    order = np.sort(known)
    below, upto = np.searchsorted(order, strange, "left"), np.searchsorted(order, strange, "right")
    return float((below + upto).mean() / (2 * len(known)))


def average_precision(known: Array, strange: Array) -> float:
    """Return Σ (R_k − R_{k−1}) P_k over falling thresholds, ties together.

    Shapes: (n,), (m,).
    """
    cuts = np.unique(strange)[::-1]
    hits = len(strange) - np.searchsorted(np.sort(strange), cuts, "left")
    false = len(known) - np.searchsorted(np.sort(known), cuts, "left")
    gain = np.diff(hits, prepend=0) / len(strange)
    return float((gain * hits / (hits + false)).sum())


def false_alarms(known: Array, strange: Array, *, level: float = LEVEL) -> float:
    """Return the share of known rows at or above the largest threshold that at least ``level`` of strange rows reach.

    Shapes: (n,), (m,).
    """
    order = np.sort(strange)
    wanted = int(np.ceil(level * len(order) - _SLACK))
    return float((known >= order[len(order) - wanted]).mean())


def misses(known: Array, strange: Array, *, level: float = LEVEL) -> float:
    """Return the share of strange rows at or below the smallest threshold that at least ``level`` of known rows keep.

    Shapes: (n,), (m,).
    """
    order = np.sort(known)
    wanted = int(np.ceil(level * len(order) - _SLACK))
    return float((strange <= order[wanted - 1]).mean())


FIGURES: dict[str, Callable[[Array, Array], float]] = {
    "auroc": auroc,
    "aupr": average_precision,
    "far@95detect": false_alarms,
    "miss@95keep": misses,
}


@dataclass(frozen=True)
class Detection:
    """One score on one set.

    Attributes:
        score: name of the score.
        set: name of the set of strange rows.
        distance: ``near`` or ``far``.
        figures: AUROC, AUPR and both conventions, with intervals.

    """

    score: str
    set: str
    distance: str
    figures: tuple[Measurement, ...]

    @property
    def auroc(self) -> float:
        """The first figure."""
        return self.figures[0].value


def detect(
    known: Array, strange: Array, *, score: str, name: str, distance: str, resamples: int = 200, seed: int = 0
) -> Detection:
    """Measure one score on one set; intervals by bootstrap, known and strange rows drawn apart from each other.

    Shapes: known (n,), strange (m,).

    Args:
        known: scores of rows like those that the model knows.
        strange: scores of the others.
        score: name of the score.
        name: name of the set.
        distance: ``near`` or ``far``.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DataError: no rows, or scores that are not finite.

    """
    if not len(known) or not len(strange) or not (np.isfinite(known).all() and np.isfinite(strange).all()):
        raise DataError(
            f"{len(known)} known and {len(strange)} strange rows, or scores that are not finite",
            "at least one of each, with finite scores", "Check the model's answers to these rows",
        )  # fmt: skip
    generator = np.random.default_rng([seed, 0x00D])
    drawn: dict[str, list[float]] = {figure: [] for figure in FIGURES}
    for _ in range(resamples):
        one = known[generator.integers(0, len(known), len(known))]
        two = strange[generator.integers(0, len(strange), len(strange))]
        for figure, measure in FIGURES.items():
            drawn[figure].append(measure(one, two))
    figures, counts = [], f"{len(known)} known, {len(strange)} strange"
    for figure, measure in FIGURES.items():
        low, high = np.quantile(drawn[figure], (0.025, 0.975))
        value = measure(known, strange)
        figures.append(
            Measurement(
                f"ood/{distance}/{name}/{score}/{figure}",
                value,
                min(float(low), value),
                max(float(high), value),
                len(known) + len(strange),
                convention=f"{CONVENTIONS[figure]}; {counts}; bootstrap of {resamples}",
                better="higher" if figure in ("auroc", "aupr") else "lower",
            )
        )
    return Detection(score, name, distance, tuple(figures))
