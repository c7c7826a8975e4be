"""Figures of several targets together, on the same rows: means over targets, and how often all answers are right."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from temperance.evaluation.base import Array, Outcome, clustered_wilson
from temperance.evaluation.metrics.log_loss import LogLoss
from temperance.evaluation.metrics.r2 import R2
from temperance.records.errors import DataError
from temperance.records.measurement import Measurement
from temperance.records.schema import Target
from temperance.records.statistics import Interval, mean_interval, pool_groups

NO = frozenset({"no", "0", "false", "n", "f", "nein", "absent", "negative"})
YES = frozenset({"yes", "1", "true", "y", "t", "ja", "present", "positive"})
DELTA = "; delta-method interval"


def is_yes_no(target: Target) -> bool:
    """Tell whether the classes say no and yes, in this order: then the second is what a row may have."""
    return len(target.classes) == 2 and target.classes[0].lower() in NO and target.classes[1].lower() in YES


def together(outcomes: Sequence[Outcome], targets: Sequence[Target]) -> tuple[Measurement, ...]:
    """Measure several targets together; nothing where some are classes and some are numbers.

    Of classes: subset accuracy (share of rows whose answers are all right), mean accuracy (1 − Hamming loss) and mean
    log loss in nats. Where all are yes/no (a label that a row has or has not) micro F1 and macro F1 of the yes:
    2 ΣTP / (Σ predicted + Σ true), over all targets and as the mean over targets. Of numbers: mean R², and the root of
    the mean over targets of squared error over variance. Weights of rows do not count.

    Args:
        outcomes: predictions and truth of each target, the same b rows in the same order.
        targets: what they are.

    Raises:
        DataError: other counts of rows.

    """
    sizes = {one.n for one in outcomes}
    if len(sizes) != 1 or len(outcomes) != len(targets):
        raise DataError(
            f"outcomes of {sorted(sizes)} rows for {len(targets)} targets",
            "the same rows for each",
            "Predict them anew",
        )
    if all(one.task == "regression" for one in outcomes):
        return _numbers(outcomes)
    if any(one.task == "regression" for one in outcomes):
        return ()
    return (*_classes(outcomes), *(_yes_no(outcomes) if all(map(is_yes_no, targets)) else ()))


def _classes(outcomes: Sequence[Outcome]) -> tuple[Measurement, ...]:
    count, groups = len(outcomes), outcomes[0].groups
    right = np.stack([one.correct for one in outcomes])
    losses = np.mean([LogLoss().contributions(one) for one in outcomes], axis=0)
    whole = right.min(axis=0)
    return (
        _made("subset_accuracy", float(whole.mean()), clustered_wilson(whole, groups), whole,
              f"all {count} answers of a row are right; Wilson interval"),
        _mean("mean_accuracy", right.mean(axis=0), outcomes[0], "unit", f"mean over rows and {count} targets"),
        _mean("mean_log_loss", losses, outcomes[0], "positive", f"mean over rows and {count} targets, nats",
              better="lower"),
    )  # fmt: skip


def _yes_no(outcomes: Sequence[Outcome]) -> tuple[Measurement, ...]:
    true = np.stack([one.target for one in outcomes]).astype(np.float64)  # (t, b)
    said = np.stack([one.label for one in outcomes]).astype(np.float64)
    hit, any_of = true * said, true + said
    micro = _ratio(2 * hit.sum(axis=0), any_of.sum(axis=0))
    seen = any_of.sum(axis=1) > 0
    macro = np.mean([_ratio(2 * h, a) for h, a, kept in zip(hit, any_of, seen, strict=True) if kept] or [micro], axis=0)
    return (
        _mean("label_micro_f1", micro, outcomes[0], "unit", f"of the yes, over all {len(outcomes)} targets{DELTA}"),
        _mean("label_macro_f1", macro, outcomes[0], "unit", f"of the yes, mean over {int(seen.sum())} targets{DELTA}"),
    )


def _ratio(above: Array, below: Array) -> Array:
    """Return (b,) contributions to Σ above / Σ below: the value plus each row's influence on it."""
    mean = below.mean()
    value = above.mean() / mean if mean > 0 else 0.0
    found: Array = value + (above - value * below) / (mean if mean > 0 else 1.0)
    return found


def _numbers(outcomes: Sequence[Outcome]) -> tuple[Measurement, ...]:
    count = len(outcomes)
    if any(np.ptp(one.target) == 0 for one in outcomes):
        return ()
    scaled = np.mean([np.square(one.prediction - one.target) / one.target.var() for one in outcomes], axis=0)
    error = _mean("mean_scaled_error", scaled, outcomes[0], "positive", "", better="lower")
    value, low, high = (None if end is None else math.sqrt(end) for end in (error.value, error.low, error.high))
    convention = f"root of the mean over rows and {count} targets of squared error over variance, which counts as known"
    return (
        _mean("mean_r2", np.mean([R2().contributions(one) for one in outcomes], axis=0), outcomes[0], "line",
              f"mean over {count} targets{DELTA}"),
        Measurement("mean_scaled_error", value or 0.0, low, high, error.n, convention=convention, better="lower"),
    )  # fmt: skip


def _mean(name: str, parts: Array, one: Outcome, scale: str, convention: str, better: str = "higher") -> Measurement:
    found = mean_interval(pool_groups(parts, one.groups), scale=scale)  # type: ignore[arg-type]
    return _made(name, float(parts.mean()), found, parts, convention, better)


def _made(
    name: str, value: float, ends: Interval, parts: Array, convention: str, better: str = "higher"
) -> Measurement:
    low, high = (end if math.isfinite(end) else None for end in ends)
    return Measurement(name, value, low, high, len(parts), convention=convention, better=better)  # type: ignore[arg-type]
