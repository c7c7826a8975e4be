"""How a challenger is trained within its budget: in full, by the champion's own course, or with fewer epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from temperance.records.errors import BudgetError
from temperance.records.roles import Roles
from temperance.study.clock import LEAST_SECONDS
from temperance.study.plan import SAFETY, Speed, cost_factor, trained_rows, trainings, trial_seconds
from temperance.study.spec import TrialSpec

TEST_SECONDS, EXPORT_SECONDS = 2.0, 4.0
BASIC_SECONDS = 1.0  # first guess for one basic model
REFIT = 1.3  # a refit has more rows than the trial
LEAST_SHARE = 0.25  # of the epochs; with fewer it would not be the same recipe

Mode = Literal["trial", "course"]


@dataclass(frozen=True)
class Schedule:
    """What the budget allows.

    Attributes:
        mode: ``trial``: each member is trained on the training rows, where its controller reads new rows, and then
            refitted. ``course``: it is refitted at once along the champion's own course of strengths.
        epochs_share: multiplies the epochs of the nets.
        expected_seconds: what that should take.
        refit_seconds: of that, the refits.

    """

    mode: Mode
    epochs_share: float
    expected_seconds: float
    refit_seconds: float


def schedule(
    specs: Sequence[TrialSpec], speeds: dict[str, Speed], roles: Roles, *, seconds: float, elapsed: float = 0.0
) -> Schedule:
    """Choose the fullest training that fits.

    Args:
        specs: the members.
        speeds: measured speed of each net by trial id.
        roles: the split; with folds the trial cannot be left out, for calibration needs its out-of-fold predictions.
        seconds: what is left of the budget; infinite where there is no clock.
        elapsed: what was spent before, for the error.

    Raises:
        BudgetError: not even a quarter of the epochs fits; the message says the least that does.

    """
    free = seconds - TEST_SECONDS - EXPORT_SECONDS
    trial = [SAFETY * _trial(spec, speeds, roles) for spec in specs]
    refit = [REFIT * cost / _times(spec, roles) for spec, cost in zip(specs, trial, strict=True)]
    full = sum(trial) + sum(refit)
    if full <= free:
        return Schedule("trial", 1.0, full, sum(refit))
    needed = full if roles.folds else sum(refit)
    mode: Mode = "trial" if roles.folds else "course"
    if needed <= free:
        return Schedule(mode, 1.0, needed, sum(refit))
    share = free / needed
    if share < LEAST_SHARE:
        least = max(LEAST_SECONDS, elapsed + TEST_SECONDS + EXPORT_SECONDS + LEAST_SHARE * needed)
        raise BudgetError(
            f"a budget of {elapsed + seconds:.0f} seconds",
            f"this recipe needs at least {1.1 * least:.0f} seconds on these rows",
            f"Use --budget {1.1 * least:.0f}s or more",
        )
    return Schedule(mode, share, free, share * sum(refit))


def _trial(spec: TrialSpec, speeds: dict[str, Speed], roles: Roles) -> float:
    if not spec.is_net:
        return BASIC_SECONDS
    rows = trained_rows(roles, spec.model)
    return trial_seconds(
        spec.settings, speeds[spec.id], roles, model=spec.model, passes=cost_factor(spec.recipe),
        rows=min(rows, spec.most_rows or rows),
    )  # fmt: skip


def _times(spec: TrialSpec, roles: Roles) -> float:
    """Return how often a trial trains, as against a refit that trains once."""
    return float(trainings(roles, spec.model)) if spec.is_net else 1.0
