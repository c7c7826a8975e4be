"""Is the model getting worse? From delayed labels, with a bound that holds at any time; without labels, an estimate.

The two are different in kind. ``LossMonitor`` proves a loss; ``expected_quality`` assumes that only the mix of cases
has changed, not how cases relate to the outcome, and says so in its flags.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.base import State
from temperance.monitoring.claims import Claim
from temperance.monitoring.reference import Arrays
from temperance.records.errors import DataError, SettingError
from temperance.records.measurement import Measurement
from temperance.records.verdict import Verdict

RISES = (0.02, 0.05, 0.1, 0.2, 0.4)  # rises of the loss that are bet on, as a share of the way to 1
STAKES = (0.003, 0.01, 0.03, 0.1, 0.3, 0.8)  # stakes of the confidence sequence
GRID = np.linspace(0.0025, 0.9975, 200)
RECENT = 100  # labelled answers that the words of an alarm are about
SUPPORT = 10  # reference rows in a bin below which the estimate has no ground there


class LossMonitor:
    """Sequential test of the served loss against the loss at release.

    Null: each loss has mean at most ``ceiling`` given the past. Bets f = 1 + λ(x − ceiling), λ ≥ 0, are then fair or
    better for the house, and R ← f · (1 + R) gives an alarm with average run length ≥ ``average_run_length`` labels.
    The mean loss so far comes with a betting confidence sequence (Waudby-Smith and Ramdas 2024, arXiv 2010.09686),
    which holds at all times at once.

    Args:
        ceiling: largest loss that is still fine, e.g. from ``ceiling_of``; in (0, 1).
        average_run_length: labels until a false alarm, on average, at least.
        level: the confidence sequence misses the true mean, ever, with at most this chance.

    """

    def __init__(self, ceiling: float, *, average_run_length: float = 100_000, level: float = 0.05) -> None:
        if not 0 < ceiling < 1:
            raise SettingError(f"ceiling={ceiling}", "a loss between 0 and 1", "Scale the loss to [0, 1]")
        if not (average_run_length >= 1 and 0 < level < 1):
            raise SettingError(
                f"average_run_length={average_run_length}, level={level}", "≥ 1 and within (0, 1)", "Change them"
            )
        self.ceiling, self.threshold, self.level = float(ceiling), float(average_run_length), float(level)
        self._stakes = np.array(RISES) / self.ceiling  # λ = (p − m) / (m (1 − m)): the likelihood ratio for 0/1 losses
        self.evidence = np.zeros(len(RISES))
        self.capital = np.zeros((2, len(GRID), len(STAKES)))  # log-capital of bets that the mean is above, below
        self.n, self.total = 0, 0.0
        self.recent = np.empty(0)

    def observe(self, losses: NDArray[Any]) -> Verdict:
        """Take losses (b,) in [0, 1], in the order in which labels arrived.

        Raises:
            DataError: a loss is outside [0, 1] or not a number.

        """
        values = np.asarray(losses, dtype=np.float64).ravel()
        if len(values) and not (values.min() >= 0 and values.max() <= 1):
            raise DataError("losses outside [0, 1]", "0/1 errors or losses scaled to [0, 1]", "Clip or scale them")
        for loss in values:
            self.evidence = (1 + self._stakes * (loss - self.ceiling)) * (1 + self.evidence)
        np.minimum(self.evidence, self.threshold * len(RISES), out=self.evidence)
        stakes = np.array(STAKES)
        for part in np.array_split(values, max(1, len(values) // 64)):
            away = part[:, None, None] - GRID[None, :, None]
            self.capital[0] += np.log1p(stakes / GRID[:, None] * away).sum(axis=0)
            self.capital[1] += np.log1p(-stakes / (1 - GRID[:, None]) * away).sum(axis=0)
        self.n += len(values)
        self.total += float(values.sum())
        self.recent = np.concatenate([self.recent, values])[-RECENT:]
        return self.verdict()

    def verdict(self) -> Verdict:
        """Return the decision so far."""
        evidence = float(self.evidence.mean())
        mean = self.measure()
        if evidence >= self.threshold:
            last = float(self.recent.mean()) if len(self.recent) else mean.value
            words = (
                f"The model is worse than at release: its loss on the last {len(self.recent)} labelled answers is "
                f"{last:.3f}; up to {self.ceiling:.3f} was fine."
            )
        else:
            words = f"No proof that the model got worse, from {self.n} labels."
        state: Literal["calm", "watch", "alarm"] = "watch" if evidence >= self.threshold / 10 else "calm"
        state = "alarm" if evidence >= self.threshold else state
        return Verdict("loss", state, evidence, self.threshold, self.n, words, {"loss": mean.to_dict()})

    def measure(self) -> Measurement:
        """Return the mean loss since the start, with its confidence sequence."""
        if not self.n:
            return Measurement("loss", math.nan, better="lower", flags=("no labels yet",))
        wealth = np.logaddexp.reduce(self.capital, axis=(0, 2)) - math.log(2 * len(STAKES))
        inside = GRID[wealth < math.log(1 / self.level)]
        value, step = self.total / self.n, float(GRID[1] - GRID[0])
        low = max(0.0, float(inside.min()) - step) if len(inside) else value
        high = min(1.0, float(inside.max()) + step) if len(inside) else value
        convention = "betting confidence sequence, valid at all times"
        return Measurement(
            "loss", value, min(low, value), max(high, value), self.n, "", convention, "lower", 1 - self.level
        )

    def state_dict(self) -> State:
        """Return a copy of all that changes."""
        counts = np.array([self.n, self.total])
        return {
            "evidence": self.evidence.copy(), "capital": self.capital.copy(), "counts": counts,
            "recent": self.recent.copy(),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state_dict``."""
        self.evidence, self.capital = np.array(state["evidence"]), np.array(state["capital"])
        self.n, self.total = int(state["counts"][0]), float(state["counts"][1])
        self.recent = np.array(state.get("recent", np.empty(0)))  # a state of before November 2026 holds none


def ceiling_of(reference: Arrays, *, tolerance: float = 0.01, level: float = 0.01) -> float:
    """Return the largest 0/1 loss that still counts as "as at release".

    The upper end of a one-sided Wilson interval of the reference loss, plus ``tolerance``: a rise that does not matter.

    Raises:
        DataError: the reference was built without targets, or its loss is not within [0, 1].

    """
    if "loss" not in reference:
        raise DataError("the reference holds no loss", "one built with target=", "Export again with labels")
    mean, _, n = (float(v) for v in reference["loss"])
    if not 0 <= mean <= 1:
        raise DataError(f"reference loss {mean:.3g}", "a loss in [0, 1]", "Give LossMonitor a ceiling of your own")
    z = NormalDist().inv_cdf(1 - level)
    centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
    return min(0.999, centre + half + tolerance)


def expected_quality(
    reference: Arrays,
    predictions: NDArray[Any],
    *,
    bins: int = 10,
    verdicts: Sequence[Verdict] = (),
    measured: Measurement | None = None,
    claim: Claim | None = None,
) -> Measurement:
    """Estimate accuracy (or mean squared error) of recent predictions without labels.

    Shapes: predictions (b, c) probabilities or (b,) values.

    Reference rows with labels say how often the model was right at each confidence (or how far off it was at each
    predicted value); recent predictions are weighted by that: Σ_b w_b q_b, w_b = recent share of bin b, q_b = reference
    quality in it. Interval: normal, variance Σ w_b² s_b² / n_b (reference) + Σ w_b s_b² / n (recent rows).

    Flags: ``assumes only the mix of cases changed``; ``unknown: …`` and no interval where that has no ground: over a
    tenth of the rows lie where the reference has fewer than ten rows; an input has changed by a large amount, or half
    of the inputs have changed at all, so that confidence may no longer mean what it did; or labels contradict the
    estimate. Without labels nothing can tell that the relation of inputs and outcome has changed while the inputs look
    the same.

    Args:
        reference: arrays of ``reference.build`` with a target.
        predictions: recent ones.
        bins: of confidence, or of predicted value.
        verdicts: of the monitor of the same traffic.
        measured: the loss of labelled answers, from ``LossMonitor.measure`` on 0/1 errors (classification).
        claim: labelled answers held against what the reference claims; a refuted claim makes the estimate unknown.

    Raises:
        DataError: the reference was built without targets, or predictions do not fit it.

    """
    if "sample_target" not in reference:
        raise DataError("the reference holds no targets", "one built with target=", "Export again with labels")
    sample, target = reference["sample"], reference["sample_target"]
    recent = np.asarray(predictions, dtype=np.float64)
    if recent.shape[1:] != sample.shape[1:] or not len(recent):
        raise DataError(
            f"predictions have shape {recent.shape}", f"(b, …) like {sample.shape}", "Pass the model's output"
        )
    classify = sample.ndim == 2
    before = sample.max(axis=1) if classify else sample
    now = recent.max(axis=1) if classify else recent
    quality = (sample.argmax(axis=1) == target).astype(np.float64) if classify else (sample - target) ** 2
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins))
    mean, spread, count = _by_bin(quality, np.searchsorted(edges, before, side="right"), len(edges) + 1)
    share = np.bincount(np.searchsorted(edges, now, side="right"), minlength=len(edges) + 1) / len(now)
    value = float((share * mean).sum())
    error = math.sqrt(float((share**2 * spread / np.maximum(count, 1)).sum() + (share * spread).sum() / len(now)))
    outside = float(share[count < SUPPORT].sum()) + float(((now < before.min()) | (now > before.max())).mean())
    flags = ["assumes only the mix of cases changed"]
    half = 1.959964 * error
    why = _unknown(outside, value, half, verdicts, measured if classify else None)
    if claim is not None and claim.refuted:
        why.append(claim.sentence())
    if claim is not None and not claim.n:
        flags.append("no label has borne it out")
    flags += [f"unknown: {reason}" for reason in why]
    low, high = (None, None) if why else (max(0.0, value - half), value + half)
    convention = f"confidence-based, {len(mean)} bins"
    if not classify:
        name = "expected_squared_error"
        return Measurement(name, value, low, high, len(now), "", convention, "lower", 0.95, tuple(flags))
    high = None if high is None else min(1.0, high)
    return Measurement("expected_accuracy", value, low, high, len(now), "", convention, "higher", 0.95, tuple(flags))


def _unknown(
    outside: float, value: float, half: float, verdicts: Sequence[Verdict], measured: Measurement | None
) -> list[str]:
    """Return why the estimate has no ground; empty where it has."""
    why = [f"{100 * min(1.0, outside):.0f} % of the rows are unlike the reference"] if outside > 0.1 else []
    inputs = ("feature", "missing", "unseen")
    moved = [
        v.channel.partition(":")[2]
        for v in verdicts
        if v.state == "alarm" and v.channel.partition(":")[0] in inputs and v.details.get("size") == "large"
    ]
    if moved:
        names = ", ".join(dict.fromkeys(moved[:5]))
        why.append(f"inputs have changed by a large amount ({names}); confidence may not mean what it did")
    features = [v for v in verdicts if v.channel.partition(":")[0] == "feature"]
    loud = sum(v.state == "alarm" for v in features)
    if not moved and loud > 1 and 2 * loud >= len(features):
        why.append(f"{loud} of {len(features)} inputs have changed; confidence may not mean what it did")
    if measured is not None and measured.low is not None and measured.high is not None:
        least, most = 1 - measured.high, 1 - measured.low
        if least > value + half or most < value - half:
            why.append(f"labels say otherwise: {100 * least:.0f} to {100 * most:.0f} of 100 answers were right")
    return why


def _by_bin(
    quality: NDArray[np.float64], place: NDArray[np.int64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return mean, variance and count per bin; one row of the overall mean is added to each bin."""
    count = np.bincount(place, minlength=bins)
    mean = (np.bincount(place, quality, bins) + quality.mean()) / (count + 1)
    square = (np.bincount(place, quality**2, bins) + (quality**2).mean()) / (count + 1)
    return mean, np.maximum(square - mean**2, 0), count
