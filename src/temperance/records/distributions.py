"""Quantiles and tails of the normal, Student, beta and binomial laws, without SciPy.

The server and the monitor need a few of them and must not load SciPy (about one second, measured).
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300


def normal_quantile(p: float) -> float:
    """Return z with P(Z ≤ z) = p."""
    return _NORMAL.inv_cdf(p)


def normal_tail(z: float) -> float:
    """Return the two-sided tail P(|Z| ≥ |z|)."""
    return math.erfc(abs(z) / math.sqrt(2.0))


def beta_cdf(x: float, *, a: float, b: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b), by its continued fraction.

    Args:
        x: in [0, 1].
        a: first shape, > 0.
        b: second shape, > 0.

    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Sum the continued fraction of the incomplete beta function (Lentz's method)."""
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    total = d
    for m in range(1, 100_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away(1.0 + term * d)
            c = _away(1.0 + term / c)
            total *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return total


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


@lru_cache(maxsize=1024)
def beta_quantile(p: float, *, a: float, b: float) -> float:
    """Return x with I_x(a, b) = p, by bisection (to the last bit that matters)."""
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        if beta_cdf(middle, a=a, b=b) < p:
            low = middle
        else:
            high = middle
        if high - low < 1e-16:
            break
    return 0.5 * (low + high)


@lru_cache(maxsize=1024)
def t_quantile(p: float, *, df: float) -> float:
    """Return t with P(T ≤ t) = p for Student's law; from 50 degrees of freedom by its expansion in 1/df."""
    if p == 0.5:
        return 0.0
    if df >= 50:
        z = normal_quantile(p)
        return (
            z
            + (z**3 + z) / (4 * df)
            + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * df**3)
        )
    x = beta_quantile(2.0 * min(p, 1.0 - p), a=df / 2.0, b=0.5)
    return math.copysign(math.sqrt(df * (1.0 / x - 1.0)), p - 0.5)


def t_tail(t: float, *, df: float) -> float:
    """Return the two-sided tail P(|T| ≥ |t|) of Student's law."""
    if math.isnan(t):
        return math.nan
    if math.isinf(t):
        return 0.0
    return normal_tail(t) if df > 1e6 else beta_cdf(df / (df + t * t), a=df / 2.0, b=0.5)


def binomial_cdf(k: int, *, n: int, p: float) -> float:
    """Return P(X ≤ k) for X ~ Binomial(n, p)."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else beta_cdf(1.0 - p, a=float(n - k), b=float(k + 1))
