"""How large a shift is and how to say it: a p-value is not a size."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

TINY, SMALL, LARGE = 0.005, 0.1, 0.25  # population stability index: the usual limits, used for words only
_NORMAL = NormalDist()


def stability_index(expected: NDArray[Any], actual: NDArray[Any]) -> float:
    """Return PSI = Σ (a − e) · ln(a / e) over bins, with half a row added to each bin; 0 when nothing was counted.

    Shapes: counts (bins,), both.
    """
    e, a = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    used = (e > 0) | (a > 0)
    if e.sum() <= 0 or a.sum() <= 0:
        return 0.0
    e, a = e[used] + 0.5, a[used] + 0.5
    e, a = e / e.sum(), a / a.sum()
    return float(((a - e) * np.log(a / e)).sum())


def size_of(expected: NDArray[Any], actual: NDArray[Any]) -> dict[str, Any]:
    """Return the size of a shift between two rows of bin counts.

    Shapes: counts (bins,), both.

    Returns:
        ``psi``; ``up``: chance that a recent value is above a reference value, ties half (0.5 = no shift);
        ``sd``: the same as a shift in standard deviations of a normal (√2 · Φ⁻¹(up)); ``rare``: share outside the most
        common bin, now and then (for flags: the rate); ``size``: ``none``, ``small``, ``large`` in words of PSI.

    """
    e, a = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    if e.sum() <= 0 or a.sum() <= 0:
        return {"psi": 0.0, "up": 0.5, "sd": 0.0, "rate": 0.0, "rate_before": 0.0, "size": "none"}
    psi = stability_index(e, a)
    e, a = e / e.sum(), a / a.sum()
    up = float((a * (np.cumsum(e) - e / 2)).sum())
    sd = float(np.sqrt(2.0) * _NORMAL.inv_cdf(min(max(up, 1e-4), 1 - 1e-4)))
    size = "none" if psi < SMALL else "small" if psi < LARGE else "large"
    return {"psi": psi, "up": up, "sd": sd, "rate": 1 - float(a[0]), "rate_before": 1 - float(e[0]), "size": size}


def words(channel: str, state: str, shift: dict[str, Any]) -> str:
    """Return one plain sentence on a channel."""
    kind, _, name = channel.partition(":")
    if state == "calm":
        return f"No sign of change in {_subject(kind, name)}."
    if shift["psi"] < TINY:
        return f"There may be a change in {_subject(kind, name)}, but by so little that it may be chance."
    lead = "It may be that" if state == "watch" else "We are sure that"
    if kind in ("missing", "unseen"):
        now, before = 100 * shift["rate"], 100 * shift["rate_before"]
        what = "empty" if kind == "missing" else "a category the model has never seen"
        return f"{lead} “{name}” is {what} more or less often: {now:.1f} % of recent requests, {before:.1f} % before."
    if abs(shift["sd"]) >= 0.15 and channel != "prediction" and kind != "categorical":
        way = "higher" if shift["sd"] > 0 else "lower"
        return f"{lead} {_subject(kind, name)} is {way} than before, by about {abs(shift['sd']):.1f} usual spreads."
    return f"{lead} {_subject(kind, name)} is spread in another way than before."


def _subject(kind: str, name: str) -> str:
    if kind == "feature":
        return f"“{name}”"
    if kind == "confidence":
        return "the model's confidence"
    if kind == "prediction":
        return "what the model predicts"
    return f"“{name}” ({kind})"
