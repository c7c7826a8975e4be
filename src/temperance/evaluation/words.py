"""Plain sentences for measurements: counts of a hundred rather than percentages, ranges rather than ±."""

from __future__ import annotations

import math

from temperance.evaluation.corruption.registry import CORRUPTIONS
from temperance.evaluation.harness import Evaluation
from temperance.evaluation.slicing import Slice
from temperance.records.measurement import Measurement

_SHARES = {
    "accuracy": "The model is right for {value} of 100 rows",
    "balanced_accuracy": "With every class counted the same, it is right for {value} of 100 rows",
    "interval_coverage": "The stated range holds the true value for {value} of 100 rows",
    "robustness": "With damaged inputs it is right for {value} of 100 rows",
    "subset_accuracy": "All answers are right for {value} of 100 rows",
    "mean_accuracy": "Of the answers to all targets, {value} of 100 are right",
}
_VALUES = {
    "log_loss": "Its stated chances are off by {value} (log loss, 0 is perfect)",
    "expected_cost": "An answer costs {value} on average, in your costs",
    "level_mae": "Its answer is off by {value} levels on average",
    "qwk": "Its levels agree with the true ones by {value} (weighted kappa, 0 is chance, 1 is perfect)",
    "rps": "Its stated chances of levels are off by {value} (ranked probability score, 0 is perfect)",
    "brier": "Its stated chances are off by {value} (Brier score, 0 is perfect)",
    "roc_auc": "It ranks the rows with {value} (area under the curve, 0.5 is guessing, 1 is perfect)",
    "poisson_deviance": "Its predicted means are off by {value} (Poisson deviance, 0 is perfect)",
    "rmse": "It is off by {value}, big misses counting more",
    "mae": "It is off by {value} on average",
    "r2": "It explains {value} of the ups and downs (0 is guessing the mean, 1 is perfect)",
    "mean_log_loss": "Stated chances are off by {value} on average over targets (log loss, 0 is perfect)",
    "label_micro_f1": "The yes of all targets is found with {value} (micro F1, 1 is perfect)",
    "label_macro_f1": "The yes of each target is found with {value} on average (macro F1, 1 is perfect)",
    "mean_r2": "The models explain {value} of the ups and downs, on average over targets",
    "mean_scaled_error": "They are off by {value} of the spread of a target (0 is perfect, 1 is guessing the mean)",
    "interval_width": "The stated range is {value} wide on average",
}


def sentence(measurement: Measurement, *, task: str = "binary") -> str:
    """Say a measurement in words; the name and the number where no words are known.

    Example: ``The model is right for 94 of 100 rows (between 92 and 96, from 500 rows).``
    """
    name = measurement.name
    if name == "ece":
        return _calibration(measurement)
    share = name in _SHARES and not (name == "robustness" and task == "regression")
    text = _SHARES[name] if share else _VALUES.get(name, f"{name.replace('_', ' ').replace('/', ', ')}: {{value}}")

    def number(x: float) -> str:
        return _of_hundred(x) if share else f"{x:.3g}"

    said = text.format(value=number(measurement.value))
    if measurement.low is None or measurement.high is None:
        return f"{said} (from {measurement.n:,} rows)."
    low, high = number(measurement.low), number(measurement.high)
    return f"{said} (between {low} and {high}, from {measurement.n:,} rows)."


def slice_sentence(part: Slice) -> str:
    """Say how a slice compares with all other rows."""
    where = f"Where {part.column} is {part.value} ({part.n:,} rows)"
    if part.state == "too_small":
        return f"{where}, there are too few rows to tell."
    if part.state == "same":
        return f"{where}, we see no sign that it does worse."
    here, there = part.measurement.value, part.measurement.value - part.difference.value
    if part.measurement.name == "accuracy":
        return f"{where}, it is right for {_of_hundred(here)} of 100 rows, elsewhere for {_of_hundred(there)}."
    return f"{where}, it is off by {here:.3g}, elsewhere by {there:.3g}."


def sentences(evaluation: Evaluation) -> list[str]:
    """Return what an owner should read first: quality, worst damage, worst slice, and what was left out."""
    task = evaluation.outcome.task
    first = (
        ("expected_cost", "level_mae", "qwk", "accuracy", "ece")
        if task != "regression"
        else ("mae", "interval_coverage")
    )
    out = [sentence(m, task=task) for m in evaluation.measurements if m.name in first]
    toughness = evaluation.robustness
    if toughness is not None and toughness.worst_family is not None:
        out.append(sentence(toughness.overall, task=task) if task != "regression" else _regression(toughness.overall))
        words = CORRUPTIONS[toughness.worst_family].words.split(" (")[0]
        out.append(f"What hurts it most: {words}.")
    if evaluation.worst_slice is not None:
        out.append(slice_sentence(evaluation.worst_slice))
    out.extend(f"Left out: {what} ({why})." for what, why in evaluation.left_out)
    return out


def _calibration(measurement: Measurement) -> str:
    gap = _of_hundred(measurement.value)
    if "below the noise floor" in measurement.flags:
        return f"Its stated confidence fits what happened, as far as {measurement.n:,} rows can tell."
    return f"Its stated confidence is off by {gap} in 100 (from {measurement.n:,} rows)."


def _regression(measurement: Measurement) -> str:
    return f"With damaged inputs it explains {measurement.value:.3g} of the ups and downs."


def _of_hundred(share: float) -> str:
    """Return a share as a count of 100: whole numbers, with one digit more near the ends."""
    if not math.isfinite(share):
        return "an unknown number"
    count = 100 * share
    return f"{count:.0f}" if 1 <= count <= 99 or count in (0, 100) else f"{count:.1f}"
