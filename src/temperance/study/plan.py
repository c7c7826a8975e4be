"""How long nets are trained and what must be kept back, from measured speeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from temperance.models.defaults import training_for
from temperance.records.roles import Roles
from temperance.records.table import Table

FIXED = {"refit": 2.0, "evaluation": 2.0, "export": 2.5, "report": 1.5}  # first guesses, replaced by measurements
SAFETY = 1.15
CROWDED = 1.3  # the pace was measured with the other workers idle; together they share caches and memory
ROWS_OF_ONE_EPOCH = 20_000
READ = 2.0  # epochs that the eight readings of a folded run take: each answers all rows, without a way back
ONE_NET = 0.6  # of the search: a folded run that would take more is cut to it, and longer is better than several
LINEAR_TERMS_PER_SECOND = 4_000_000  # images × numbers × outputs of a logistic fit, one core; for planning only
BOOSTED_ROWS_PER_SECOND = 12_000  # hundreds of trees on about 15 columns, one core; measured, for planning only


@dataclass(frozen=True)
class Speed:
    """What was measured of the default net here: seconds per optimizer step, and outside the steps."""

    step_seconds: float
    fixed_seconds: float


def default_settings(table: Table, roles: Roles, *, model: str) -> dict[str, Any]:
    """Return the training settings that suit the net and the size of the data."""
    rows = len(roles.folds[0][0]) if roles.folds else len(roles.train)
    chosen = training_for(model, table.schema.target.task, rows)
    return {
        "epochs": float(chosen.epochs), "batch_size": chosen.batch_size, "lr": chosen.lr, "curve": chosen.curve,
        "beta2": chosen.beta2, "warmup": chosen.warmup,
    }  # fmt: skip


def covered_once(roles: Roles) -> bool:
    """Return whether the folds hold out each development row exactly once (not so for folds in time order)."""
    held = np.concatenate([h for _, h in roles.folds]) if roles.folds else np.empty(0, dtype=np.int64)
    return len(np.unique(held)) == len(held) == len(roles.refit)


def has_banks(roles: Roles) -> bool:
    """Return whether every development row is held out by exactly one fold (not so for folds in time order)."""
    return bool(roles.folds) and covered_once(roles)


def can_fold(model: str, roles: Roles) -> bool:
    """Return whether nets are trained in folded runs: our tabular net, on full folds or with selection rows."""
    return model == "Tabular" and (has_banks(roles) or (not roles.folds and len(roles.selection) > 0))


def trained_rows(roles: Roles, model: str) -> int:
    """Return the rows that one training's steps are counted by."""
    return len(roles.folds[0][0]) if roles.folds else len(roles.train)


def trainings(roles: Roles, model: str) -> float:
    """Return how often one trial trains: once, or once per fold; a folded run trains all folds at once."""
    return 1.0 if not roles.folds or can_fold(model, roles) else float(len(roles.folds))


def epoch_steps(settings: dict[str, Any], rows: int) -> int:
    """Return optimizer steps per epoch."""
    return int(max(1, math.ceil((rows - 1) / settings["batch_size"])))


def trial_seconds(
    settings: dict[str, Any], speed: Speed, roles: Roles, *, model: str, passes: float = 1.0, rows: int | None = None
) -> float:
    """Return the expected time of one trial on ``rows`` rows, by default all that a trial trains on."""
    epochs = settings["epochs"] + (READ if model == "Tabular" and has_banks(roles) else 0.0)
    steps = epochs * epoch_steps(settings, rows or trained_rows(roles, model))
    return float(trainings(roles, model) * (steps * speed.step_seconds * passes + speed.fixed_seconds))


def fit_to_budget(
    settings: dict[str, Any], speed: Speed, roles: Roles, *, model: str, seconds: float, workers: int
) -> dict[str, Any]:
    """Return settings whose trials leave time for several trials and the refit; epochs may become a fraction.

    t·(rounds + r) ≤ seconds, r the refit in trials: 0 where nets ship as they were trained, without folds in turn.
    Four trials are wanted (rounds = ⌈4/workers⌉); where that would cut the training to less than half, two trials,
    trained longer, are worth more. The first folded run, which weighs several nets, may take ``ONE_NET`` of it.
    """
    if not math.isfinite(seconds):
        return settings
    share = 1.3 / trainings(roles, model) if roles.folds and not can_fold(model, roles) else 0.0
    crowded = CROWDED if workers > 1 else 1.0
    wanted = crowded * trial_seconds(settings, speed, roles, model=model)
    most = seconds / (math.ceil(4 / workers) + share)
    if wanted > 2 * most:
        most = seconds / (math.ceil(2 / workers) + share) / SAFETY
    if can_fold(model, roles):
        most = ONE_NET * seconds
    if wanted <= most:
        return settings
    fixed = crowded * trial_seconds({**settings, "epochs": 0.0}, speed, roles, model=model)
    share_of_epochs = max(0.0, most - fixed) / max(wanted - fixed, 1e-9)
    return {**settings, "epochs": round(max(settings["epochs"] * share_of_epochs, 0.001), 4)}


def rows_for(settings: dict[str, Any], rows: int) -> tuple[dict[str, Any], int | None]:
    """Return settings and the most rows of a training: less than one epoch becomes one epoch over fewer rows."""
    if settings["epochs"] >= 1 or rows < ROWS_OF_ONE_EPOCH:
        return settings, None
    least = 10 * int(settings["batch_size"])
    return {**settings, "epochs": 1.0}, max(least, int(rows * settings["epochs"]))


def boosting_rows(seconds: float) -> int | None:
    """Return the most rows that boosting may take so that it is done within about a tenth of the search."""
    if not math.isfinite(seconds):
        return None
    return max(5_000, int(0.1 * seconds * BOOSTED_ROWS_PER_SECOND))


def linear_rows(seconds: float, width: int, outputs: int) -> int | None:
    """Return the most images that a linear model may take so that it is done within about a tenth of the search.

    Args:
        seconds: of the search.
        width: numbers per image, as in ``models.pixels``.
        outputs: classes, or 1.

    """
    if not math.isfinite(seconds):
        return None
    return max(2_000, int(0.1 * seconds * LINEAR_TERMS_PER_SECOND / (width * outputs)))


def cost_factor(recipe: dict[str, Any] | None) -> float:
    """Return how much longer a step of this recipe takes, from the declared passes."""
    from temperance.study.prices import STEP_FACTOR

    names = [one["name"] for one in (recipe or {}).get("regularizers", [])]
    return max([STEP_FACTOR.get(name, 1.0) for name in names], default=1.0) + 0.03 * len(names)
