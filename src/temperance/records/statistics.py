"""Intervals, paired tests and corrections for many tests; NumPy and the standard library only.

A quantity that is not a plain mean (an area under a curve, an F1) is handled through its *contributions*: one number
per row whose mean is the estimate and whose spread gives its standard error (the delta method). So one interval, one
paired test and one rule for groups serve every metric.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from temperance.records.distributions import (
    beta_quantile,
    binomial_cdf,
    normal_quantile,
    t_quantile,
    t_tail,
)
from temperance.records.errors import DataError, SettingError

Array = NDArray[np.float64]
Method = Literal["auto", "t", "bootstrap", "permutation", "mcnemar"]
METHODS = ("auto", "t", "bootstrap", "permutation", "mcnemar")
_POOL = 20_000  # above so many rows the bootstrap draws blocks of rows
_CELLS = 4_000_000  # numbers drawn at once


class Interval(NamedTuple):
    """Lower and upper end."""

    low: float
    high: float


# ---------------------------------------------------------------------------------------------------- proportions


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion.

    Near its nominal coverage also for few rows and for rates near 0 or 1, where the bootstrap and the plain normal
    interval fall to a quarter of it. ``n`` may be an effective count (not whole).

    Raises:
        SettingError: ``confidence`` outside (0, 1), or a count outside 0 … n.

    """
    _check_confidence(confidence)
    if n < 0 or not 0 <= successes <= n:
        raise SettingError(f"{successes} successes of {n}", "0 ≤ successes ≤ n", "Check the counts")
    if n == 0:
        return Interval(0.0, 1.0)
    z2 = normal_quantile(0.5 + confidence / 2) ** 2
    p = successes / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Interval(0.0 if p == 0 else max(0.0, centre - half), 1.0 if p == 1 else min(1.0, centre + half))


def clopper_pearson(successes: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Return the exact interval of a proportion: never below nominal coverage, so fit for "at least" claims."""
    _check_confidence(confidence)
    if n < 0 or not 0 <= successes <= n:
        raise SettingError(f"{successes} successes of {n}", "0 ≤ successes ≤ n", "Check the counts")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, a=float(successes), b=float(n - successes + 1))
    high = 1.0 if successes == n else beta_quantile(1 - tail, a=float(successes + 1), b=float(n - successes))
    return Interval(low, high)


def newcombe(first: tuple[int, int], second: tuple[int, int], *, confidence: float = 0.95) -> Interval:
    """Return the interval of a difference of two independent proportions, from their Wilson intervals.

    Args:
        first: (successes, n) of the first group.
        second: (successes, n) of the second; the difference is first − second.
        confidence: confidence level.

    References:
        Newcombe (1998), method 10.

    """
    (k1, n1), (k2, n2) = first, second
    (l1, h1), (l2, h2) = wilson(k1, n1, confidence=confidence), wilson(k2, n2, confidence=confidence)
    p1, p2 = k1 / n1 if n1 else 0.5, k2 / n2 if n2 else 0.5
    gap = p1 - p2
    return Interval(gap - math.hypot(p1 - l1, h2 - p2), gap + math.hypot(h1 - p1, p2 - l2))


# ---------------------------------------------------------------------------------------------------------- means


def pool_groups(values: ArrayLike, groups: ArrayLike | None) -> Array:
    """Turn per-row values into one value per group, with the same mean and the spread that groups imply.

    Rows of one group (one customer, one patient) are not independent. With s_g the sum and n_g the count of group g,
    G groups and n rows, the result is m + (s_g − n_g m) G / n, with m the mean over rows. Without groups it is the
    input as float64.
    """
    rows = np.asarray(values, dtype=np.float64)
    if groups is None:
        return rows
    _, code = np.unique(np.asarray(groups), return_inverse=True)
    count = np.bincount(code).astype(np.float64)
    mean = float(rows.mean())
    return mean + (np.bincount(code, weights=rows) - count * mean) * (len(count) / len(rows))


def standard_error(values: ArrayLike) -> float:
    """Return the standard error of the mean; not a number below two values."""
    rows = np.asarray(values, dtype=np.float64)
    return float(rows.std(ddof=1) / math.sqrt(len(rows))) if len(rows) > 1 else math.nan


def mean_interval(values: ArrayLike, *, confidence: float = 0.95, unit_range: bool = False) -> Interval:
    """Return Student's interval of a mean.

    Args:
        values: (b,) per-row values or contributions.
        confidence: confidence level.
        unit_range: the quantity lies in [0, 1]; the interval is then made on the logit scale, so it stays inside.

    Returns:
        The interval; infinite (or 0 … 1) below two values.

    """
    _check_confidence(confidence)
    rows = np.asarray(values, dtype=np.float64)
    if len(rows) < 2:
        return Interval(0.0, 1.0) if unit_range else Interval(-math.inf, math.inf)
    mean = float(rows.mean())
    half = t_quantile(0.5 + confidence / 2, df=len(rows) - 1) * standard_error(rows)
    if not unit_range:
        return Interval(mean - half, mean + half)
    if half == 0 or not 0 < mean < 1:
        return wilson(min(1.0, max(0.0, mean)) * len(rows), len(rows), confidence=confidence)
    logit, spread = math.log(mean / (1 - mean)), half / (mean * (1 - mean))
    return Interval(_expit(logit - spread), _expit(logit + spread))


def bootstrap_means(
    values: ArrayLike, *, resamples: int = 1000, seed: int = 0, strata: ArrayLike | None = None
) -> Array:
    """Return means of rows drawn with replacement, (resamples,) or (resamples, d) for values (b, d).

    Args:
        values: (b,) or (b, d) per-row values.
        resamples: how many draws.
        seed: of the generator; same seed and count of rows, same draws, so that two models can share them.
        strata: (b,) labels; each keeps its count in every draw.

    Above 20,000 rows, rows are first pooled at random into blocks of equal size (means of blocks have the same
    variance of the overall mean), so time does not grow with the data.

    Raises:
        DataError: no rows.

    """
    rows = np.asarray(values, dtype=np.float64)
    if not len(rows):
        raise DataError("no rows to draw from", "at least one row", "Check the role that is measured")
    generator = np.random.default_rng([seed, 0xB007])
    if strata is not None:
        _, code = np.unique(np.asarray(strata), return_inverse=True)
        total = np.zeros((resamples, *rows.shape[1:]))
        for stratum in range(code.max() + 1):
            part = rows[code == stratum]
            total += _draw_means(part, resamples, generator) * (len(part) / len(rows))
        return total
    return _draw_means(rows, resamples, generator)


def _draw_means(rows: Array, resamples: int, generator: np.random.Generator) -> Array:
    rows = _pooled(rows, generator)
    n = len(rows)
    out = np.empty((resamples, *rows.shape[1:]))
    step = max(1, _CELLS // n)
    for start in range(0, resamples, step):
        stop = min(resamples, start + step)
        out[start:stop] = rows[generator.integers(0, n, size=(stop - start, n))].mean(axis=1)
    return out


def _pooled(rows: Array, generator: np.random.Generator) -> Array:
    if len(rows) <= _POOL:
        return rows
    size = -(-len(rows) // (_POOL // 4))
    kept = generator.permutation(len(rows))[: len(rows) // size * size]
    blocks: Array = rows[kept].reshape(-1, size, *rows.shape[1:]).mean(axis=1)
    blocks += rows.mean(axis=0) - blocks.mean(axis=0)
    return blocks


def bootstrap_interval(
    values: ArrayLike,
    *,
    statistic: Callable[[Any], Any] | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    strata: ArrayLike | None = None,
) -> Interval:
    """Return the percentile bootstrap interval of the mean, or of ``statistic`` of the mean (``np.sqrt`` for RMSE)."""
    _check_confidence(confidence)
    draws = bootstrap_means(values, resamples=resamples, seed=seed, strata=strata)
    draws = draws if statistic is None else statistic(draws)
    low, high = np.nanquantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


# ---------------------------------------------------------------------------------------------------------- pairs


@dataclass(frozen=True)
class Paired:
    """A comparison on the same rows.

    Attributes:
        difference: mean of first − second.
        low: lower end of its interval.
        high: upper end.
        p: two-sided p value of "no difference".
        n: pairs (rows, or groups).
        method: the test that was used.
        confidence: confidence level of the interval.

    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    method: str
    confidence: float = 0.95

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields; a number that is not finite becomes null."""
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(self).items()}


def paired(
    first: ArrayLike,
    second: ArrayLike,
    *,
    method: Method = "auto",
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Paired:
    """Compare two models by their per-row losses (or contributions) on the same rows.

    Args:
        first: (b,) losses of the first model.
        second: (b,) losses of the second, in the same order.
        method: ``t``; ``bootstrap`` (percentile interval and its p); ``permutation`` (sign flips, with the bootstrap's
            interval); ``mcnemar`` (exact, for losses 0 and 1); ``auto``: McNemar for 0/1 losses without groups,
            permutation below 100 pairs, else t.
        groups: (b,) labels of rows that belong together.
        confidence: confidence level of the interval.
        resamples: draws of bootstrap and permutation.
        seed: of their generator.

    Raises:
        DataError: lengths differ, no rows, or losses that are not finite.
        SettingError: unknown method.

    """
    _check_confidence(confidence)
    a, b = _pair(first, second)
    if method not in METHODS:
        raise SettingError(f"method {method!r}", f"one of {', '.join(METHODS)}", "Leave it at 'auto'")
    if method == "auto":
        binary = groups is None and bool(np.isin(a, (0.0, 1.0)).all() and np.isin(b, (0.0, 1.0)).all())
        pairs = len(a) if groups is None else len(np.unique(np.asarray(groups)))
        method = "mcnemar" if binary else "permutation" if pairs < 100 else "t"
    if method == "mcnemar":
        return _paired_binary(a, b, confidence)
    d = pool_groups(a - b, groups)
    mean, n = float(d.mean()), len(d)
    if not np.any(d):
        return Paired(0.0, 0.0, 0.0, 1.0, n, method, confidence)
    if method == "t":
        error = standard_error(d)
        low, high = mean_interval(d, confidence=confidence)
        p = 1.0 if n < 2 else t_tail(mean / error if error > 0 else math.inf, df=n - 1)
        return Paired(mean, low, high, p, n, method, confidence)
    draws = bootstrap_means(d, resamples=resamples, seed=seed)
    low, high = (float(q) for q in np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2]))
    if method == "permutation":
        p = sign_flip(d, resamples=resamples, seed=seed)
    else:
        p = min(1.0, 2 * (1 + min(int((draws <= 0).sum()), int((draws >= 0).sum()))) / (resamples + 1))
    return Paired(mean, low, high, p, n, method, confidence)


def sign_flip(differences: ArrayLike, *, resamples: int = 2000, seed: int = 0) -> float:
    """Return the two-sided p value of the sign-flip permutation test of a zero mean.

    All sign patterns are counted up to 12 pairs; beyond, ``resamples`` random ones and the observed one.
    """
    d = np.asarray(differences, dtype=np.float64)
    d = d[d != 0]
    observed = abs(float(d.sum())) * (1 - 1e-12)
    if len(d) <= 12:
        signs = 1 - 2 * ((np.arange(2 ** len(d))[:, None] >> np.arange(len(d))) & 1)
        return float((np.abs(signs @ d) >= observed).mean())
    generator = np.random.default_rng([seed, 0xF11B])
    hits, step = 1, max(1, _CELLS // len(d))
    for start in range(0, resamples, step):
        shape = (min(step, resamples - start), len(d))
        signs = generator.integers(0, 2, size=shape, dtype=np.int8) * 2 - 1
        hits += int((np.abs(signs @ d) >= observed).sum())
    return hits / (resamples + 1)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p value of McNemar's test from the two counts of disagreeing pairs."""
    if min(only_first, only_second) < 0:
        raise SettingError(f"counts {only_first}, {only_second}", "counts of at least 0", "Check the counts")
    n = only_first + only_second
    return 1.0 if n == 0 else min(1.0, 2.0 * binomial_cdf(min(only_first, only_second), n=n, p=0.5))


def _paired_binary(a: Array, b: Array, confidence: float) -> Paired:
    """Exact McNemar p with the interval of Agresti and Min (2005): half a pair is added to each of the four cells."""
    n, first, second = len(a), int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    m, up, down = n + 2.0, first + 0.5, second + 0.5
    centre = (up - down) / m
    half = normal_quantile(0.5 + confidence / 2) * math.sqrt(max(0.0, up + down - (up - down) ** 2 / m)) / m
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    return Paired((first - second) / n, low, high, mcnemar(first, second), n, "mcnemar", confidence)


# ----------------------------------------------------------------------------------------------------- many tests


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p values: reject where ≤ α keeps the chance of any false claim at α."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)) if len(p) else p
    return _unsorted(raised, order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return Benjamini and Hochberg's adjusted p values: reject where ≤ q keeps the share of false claims at q."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    return _unsorted(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _unsorted(values: Array, order: NDArray[np.int64]) -> list[float]:
    out = np.empty(len(values))
    out[order] = np.minimum(values, 1.0)
    return [float(v) for v in out]


# --------------------------------------------------------------------------------------------------------- checks


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise DataError(
            f"losses of shapes {a.shape} and {b.shape}",
            "two lists of the same rows, at least one row",
            "Evaluate both models on the same rows in the same order",
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise DataError("losses that are not finite", "finite numbers", "Check the predictions of both models")
    return a, b


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise SettingError(f"confidence {confidence}", "between 0 and 1, e.g. 0.95", "Give a share, not a percentage")


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
