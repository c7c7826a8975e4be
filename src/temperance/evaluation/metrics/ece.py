"""How far stated confidence is from the share of right answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np

from temperance.evaluation.base import CLASSIFICATION, Array, Metric, Outcome
from temperance.evaluation.binning import Codes, equal_mass, equal_width
from temperance.records.measurement import Measurement
from temperance.records.statistics import Interval

_EXACT = 3_000_000  # coin flips simulated one by one up to so many, then by the normal law per bin


@dataclass(frozen=True)
class _CalibrationError(Metric):
    """Σ over bins of |sum of (confidence − correct)| / n, for the most probable class.

    The sum over bins is never below 0, so it is above 0 even for a perfect model. ``floor`` says how large it gets
    for a model whose probabilities are exactly true, on as many rows.
    """

    bins: int = 15
    resamples: int = 500
    rule: Literal["equal_mass", "equal_width"] = field(default="equal_mass", init=False)

    better = "lower"
    tasks = CLASSIFICATION
    words = "how far the stated confidence is from the share of right answers (0 is perfect)"

    def applies(self, outcome: Outcome) -> bool:
        """Need rows that count alike: bins count them."""
        return super().applies(outcome) and outcome.weight is None

    def contributions(self, outcome: Outcome) -> Array:
        """Return ± (confidence − correct), the sign being that of the row's bin: the mean is the value exactly."""
        gap = outcome.confidence - outcome.sure
        code = self._codes(outcome.confidence)
        sign = np.sign(np.bincount(code, weights=gap, minlength=self.bins))
        return np.asarray(sign[code] * gap, dtype=np.float64)

    def interval(self, outcome: Outcome, parts: Array) -> Interval:
        """Return the reflected bootstrap interval, which takes the upward bias off, stretched to hold the value.

        The lower end also takes off the noise floor, so a value that chance explains has a lower end of 0.

        Sums per bin of rows drawn with replacement have covariance δ_ab Σ gap² − T_a T_b / n (T: sums per bin); they
        are drawn from the normal law with it.
        """
        gap = outcome.confidence - outcome.sure
        code = self._codes(outcome.confidence)
        total = np.bincount(code, weights=gap, minlength=self.bins)
        square = np.bincount(code, weights=gap**2, minlength=self.bins)
        root = _root(np.diag(square) - np.outer(total, total) / outcome.n)
        noise = np.random.default_rng([self.seed, 0xECE]).standard_normal((self.resamples, self.bins))
        draws = np.abs(total + noise @ root).sum(axis=1) / outcome.n
        value = float(np.abs(total).sum() / outcome.n)
        q = np.quantile(draws, [(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        low = min(value - self.floor(outcome), 2 * value - float(q[1]))
        return Interval(max(0.0, low), min(1.0, max(value, 2 * value - float(q[0]))))

    def floor(self, outcome: Outcome) -> float:
        """Return the 95th percentile of the value for a model whose stated confidence is exactly true."""
        return noise_floor(
            outcome.confidence, self._codes(outcome.confidence), bins=self.bins, draws=self.resamples, seed=self.seed
        )

    def flags(self, outcome: Outcome) -> tuple[str, ...]:
        """Flag a value that a perfectly calibrated model would also show."""
        value = float(self.contributions(outcome).mean())
        return ("below the noise floor",) if value <= self.floor(outcome) else ()

    def _codes(self, confidence: Array) -> Codes:
        return (equal_mass if self.rule == "equal_mass" else equal_width)(confidence, bins=self.bins)


@final
@dataclass(frozen=True)
class Ece(_CalibrationError):
    """Expected calibration error with 15 bins of equal count."""

    name = "ece"
    convention = (
        "most probable class, 15 equal-mass bins, ties together; reflected bootstrap interval, less the noise floor"
    )


@final
@dataclass(frozen=True)
class EceEqualWidth(_CalibrationError):
    """Expected calibration error with 15 bins of equal width, for comparison with publications."""

    rule: Literal["equal_mass", "equal_width"] = field(default="equal_width", init=False)

    name = "ece_equal_width"
    convention = (
        "most probable class, 15 equal-width bins [low, high); reflected bootstrap interval, less the noise floor"
    )
    basic = False


@final
@dataclass(frozen=True)
class EceFloor(Metric):
    """The calibration error that a perfectly calibrated model shows by chance."""

    name = "ece_floor"
    better = "neither"
    tasks = CLASSIFICATION
    words = "the calibration error that chance alone explains; only more than that means miscalibrated"
    convention = "95th percentile of 500 simulations from the model's own confidence, 15 equal-mass bins"

    def applies(self, outcome: Outcome) -> bool:
        """Need rows that count alike: bins count them."""
        return super().applies(outcome) and outcome.weight is None

    def contributions(self, outcome: Outcome) -> Array:
        """Return the floor for every row (it has no spread of its own)."""
        return np.full(outcome.n, Ece(seed=self.seed).floor(outcome))

    def interval(self, outcome: Outcome, parts: Array) -> Interval:
        """Return no interval."""
        return Interval(-np.inf, np.inf)


def noise_floor(
    confidence: Array, code: Codes, *, bins: int = 15, draws: int = 500, seed: int = 0, quantile: float = 0.95
) -> float:
    """Simulate right and wrong answers from ``confidence`` itself and return a quantile of the calibration error."""
    generator = np.random.default_rng([seed, 0xF100])
    n = len(confidence)
    if n * draws > _EXACT:
        spread = np.sqrt(np.bincount(code, weights=confidence * (1 - confidence), minlength=bins))
        sums = generator.standard_normal((draws, bins)) * spread
    else:
        order = np.argsort(code, kind="stable")
        ranked, starts = confidence[order], np.unique(code[order], return_index=True)[1]
        right = generator.random((draws, n)) < ranked
        sums = np.add.reduceat(ranked - right, starts, axis=1)
    return float(np.quantile(np.abs(sums).sum(axis=1) / n, quantile))


def below_floor(measurement: Measurement) -> bool:
    """Say whether a calibration error was flagged as no more than chance."""
    return "below the noise floor" in measurement.flags


def _root(covariance: Array) -> Array:
    value, vector = np.linalg.eigh(covariance)
    root: Array = (vector * np.sqrt(np.maximum(value, 0.0))) @ vector.T
    return root
