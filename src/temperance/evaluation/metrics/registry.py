"""Metrics by name."""

from __future__ import annotations

from collections.abc import Sequence

from temperance.evaluation.base import Array, Metric, Outcome
from temperance.evaluation.metrics.accuracy import Accuracy
from temperance.evaluation.metrics.aurc import Aurc
from temperance.evaluation.metrics.balanced_accuracy import BalancedAccuracy
from temperance.evaluation.metrics.brier import Brier
from temperance.evaluation.metrics.coverage import IntervalCoverage
from temperance.evaluation.metrics.ece import Ece, EceEqualWidth, EceFloor
from temperance.evaluation.metrics.expected_cost import ExpectedCost
from temperance.evaluation.metrics.level_mae import LevelMae
from temperance.evaluation.metrics.log_loss import LogLoss
from temperance.evaluation.metrics.macro_f1 import MacroF1
from temperance.evaluation.metrics.mae import Mae
from temperance.evaluation.metrics.poisson_deviance import PoissonDeviance
from temperance.evaluation.metrics.qwk import Qwk
from temperance.evaluation.metrics.r2 import R2
from temperance.evaluation.metrics.rmse import Rmse
from temperance.evaluation.metrics.roc_auc import RocAuc
from temperance.evaluation.metrics.rps import Rps
from temperance.evaluation.metrics.width import IntervalWidth
from temperance.records.errors import SettingError, nearest
from temperance.records.measurement import Measurement
from temperance.records.schema import Task

METRICS: dict[str, type[Metric]] = {
    metric.name: metric
    for metric in (
        Accuracy,
        BalancedAccuracy,
        ExpectedCost,
        LevelMae,
        Qwk,
        Rps,
        LogLoss,
        Brier,
        RocAuc,
        MacroF1,
        Ece,
        EceEqualWidth,
        EceFloor,
        Aurc,
        PoissonDeviance,
        Rmse,
        Mae,
        R2,
        IntervalCoverage,
        IntervalWidth,
    )
}
_NOT_A_GOAL = ("ece", "ece_equal_width", "ece_floor", "interval_coverage", "interval_width", "aurc")


OF_LEVELS = ("level_mae", "qwk", "rps")  # need classes in an order


def metric(name: str, *, seed: int = 0) -> Metric:
    """Return the metric of this name.

    Raises:
        SettingError: unknown name.

    """
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key not in METRICS:
        raise SettingError(f"there is no metric {name!r}", f"known are {', '.join(METRICS)}", nearest(key, METRICS))
    return METRICS[key](seed=seed)


def default_metric(task: Task, *, ordered: bool = False, counts: bool = False) -> str:
    """Return the metric that a study optimises unless told otherwise; ``ordered`` classes are levels."""
    if ordered or counts:
        return "rps" if ordered else PoissonDeviance.name
    return "rmse" if task == "regression" else "log_loss"


def check_goal(name: str, *, task: Task) -> Metric:
    """Return the metric ``name`` if a study of this task can be decided by it.

    Raises:
        SettingError: unknown, of another task, or no goal by itself (a calibration error is 0 for a useless model).

    """
    chosen = metric(name)
    accepted = [key for key, cls in METRICS.items() if task in cls.tasks and key not in _NOT_A_GOAL]
    if chosen.name not in accepted:
        raise SettingError(
            f"metric {name!r} cannot decide a {task} study",
            f"one of {', '.join(accepted)}",
            f"Use --metric {default_metric(task)}",
        )
    return chosen


def measure(outcome: Outcome, *, metrics: Sequence[str] | None = None, seed: int = 0) -> tuple[Measurement, ...]:
    """Measure an outcome; without ``metrics``, everything of the quick suite that applies."""
    return tuple(m.measure(outcome) for m in select(outcome, metrics=metrics, seed=seed))


def select(
    outcome: Outcome, *, metrics: Sequence[str] | None = None, basic: bool = True, seed: int = 0
) -> tuple[Metric, ...]:
    """Return the metrics to use: those named (each must fit the task), else all that apply.

    Raises:
        SettingError: a metric that does not fit the task.

    """
    if metrics is None:
        every = (metric(name, seed=seed) for name in METRICS)
        return tuple(m for m in every if m.applies(outcome) and (m.basic or not basic))
    chosen = tuple(metric(name, seed=seed) for name in metrics)
    for m in chosen:
        if outcome.task not in m.tasks:
            fitting = ", ".join(name for name, cls in METRICS.items() if outcome.task in cls.tasks)
            raise SettingError(f"metric {m.name!r} for a {outcome.task} task", f"one of {fitting}", "Choose another")
    return tuple(m for m in chosen if m.applies(outcome))


def losses(outcome: Outcome, name: str) -> Array:
    """Return (b,) losses of one metric, lower is better: what ``compare`` and the search take."""
    return metric(name).losses(outcome)
