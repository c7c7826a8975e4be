"""Basic models and the audit in a study: which are tried, for how long, what a winner is compared with.

No torch here: the leading process asks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from temperance.models.basic import BASIC
from temperance.models.basic.boosting import LADDER, USUAL
from temperance.records.layout import Forecast
from temperance.records.roles import Roles
from temperance.records.schema import Schema
from temperance.study.clock import Budget
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, State

ALWAYS = ("Majority", "Linear", "Boosting")
NAIVE = ("Persistence", "SeasonalPersistence")  # always too, where earlier values of a number are inputs
WIDE = ("Wide",)  # always too, where there is text or series
OFTEN = ("LightGBM", "CatBoost", "ExtraTrees")  # in the order in which they are worth their time
NUMBERS = {"text": 70, "series": 40}  # that a column becomes
SECONDS_PER_TEXT = 2e-4  # of finding the directions of texts, one core
QUICK = 10.0  # seconds of one core: of the audit in a quick look, and of a boosting that then tries all its settings
AUDIT_SHARE, LEAST_AUDIT = 0.1, 1.5  # of the budget, on one worker; seconds
SHARE = 0.25  # of the search, over all workers, that basic models beyond ``ALWAYS`` may fill
ENDING = {"Boosting": 0.33}  # of the time that is left for trials: what those that end in time may take
LEAST_ENDING = 0.8  # seconds from which on one of them is worth starting
FURTHER = "gradient boosting, further settings"


def has_wide(schema: Schema) -> bool:
    """Return whether the rows have wide numbers, which a model that ``takes_wide`` needs."""
    return bool(schema.text or schema.series)


def within_wide(schema: Schema) -> tuple[str, ...]:
    """Return models that the wide one holds: of series the linear one, which sees some of the same directions.

    Where rows are few, a rival that differs by chance alone makes the choice worse.
    """
    return ("Linear",) if schema.series and not schema.text else ()


def basic_specs(*, images: bool, seed: int, wide: bool = False, forecast: Forecast | None = None) -> list[TrialSpec]:
    """Return the basic models that can compete here, in order; what takes tables is weak on pixels.

    Args:
        images: the rows are images.
        seed: of what is random.
        wide: see ``has_wide``; the model of the wide numbers then comes second.
        forecast: of the schema; the last known value, and that of a season before, then compete.

    """
    first = (ALWAYS[0], *naive(forecast), *(WIDE if wide else ()), *ALWAYS[1:])
    names = [name for name in (*first, *OFTEN) if BASIC[name].takes_images or not images]
    return [
        TrialSpec("", BASIC[name].words, "basic", name, seed=seed) for name in names if not BASIC[name].absent()
    ]  # fmt: skip


def numeric_forecast(schema: Schema) -> Forecast | None:
    """Return which earlier values of a numeric target are inputs, or None."""
    return schema.forecast if schema.target.task == "regression" else None


def naive(forecast: Forecast | None) -> tuple[str, ...]:
    """Return the forecasts without learning that these lags allow."""
    if forecast is None:
        return ()
    return NAIVE[: 1 + (len(forecast.lags) > 1)]


def absent(*, images: bool) -> list[dict[str, str]]:
    """Return rows of ``left_out``: basic models whose package is not installed."""
    names = [] if images else [*ALWAYS, *OFTEN]
    return [{"what": BASIC[name].words, "why": BASIC[name].absent()} for name in names if BASIC[name].absent()]


def expected_seconds(spec: TrialSpec, schema: Schema, roles: Roles) -> float:
    """Return about how long a trial of a basic model takes: one fit, or one per fold."""
    columns = sum(NUMBERS.get(c.kind, max(1, min(len(c.vocabulary), 32))) for c in schema.columns)
    if schema.image_shape is not None:
        columns = int(np.prod([min(side, 16) for side in schema.image_shape[:2]])) * schema.image_shape[2]
    rows, times = len(roles.train), 1
    if roles.folds:
        rows, times = len(roles.folds[0][0]), len(roles.folds)
    model, used = BASIC[spec.model], min(rows, spec.most_rows or rows)
    texts = 0.0 if model.blind or model.takes_wide else SECONDS_PER_TEXT * rows * len(schema.text)
    return times * (texts + model.seconds(used, columns, schema.target.outputs))


def audit_seconds(budget: Budget) -> float | None:
    """Return how many seconds the audit may take on its worker under ``budget``; None: as many as it wants."""
    if budget.runs is not None:
        return QUICK
    return None if budget.seconds is None else max(LEAST_AUDIT, AUDIT_SHARE * budget.seconds)


def share_of(spec: TrialSpec) -> float:
    """Return the share of the time that is left for trials that a trial may take; 1: it takes what it needs."""
    return ENDING.get(spec.model, 1.0) if spec.kind == "basic" else 1.0


def further(state: State, budget: Budget) -> list[TrialSpec]:
    """Return a trial of the settings of boosting that were not tried yet, where ``budget`` is in seconds.

    A clock then says how many of them are worth their time.
    """
    done = [r for r in state.done if r.spec.model == "Boosting"][:1]
    if budget.seconds is None or not done:
        return []
    first = int(done[0].event.get("tried") or USUAL)
    return [
        r.spec.changed(id="", name=FURTHER, settings={"first": first, "tries": len(LADDER) - first})
        for r in done if first < len(LADDER)
    ]  # fmt: skip


def quick(spec: TrialSpec, schema: Schema, roles: Roles) -> TrialSpec:
    """Return the spec for a budget of one run, in which somebody waits for a first answer.

    The settings of a boosting of many classes take several times as long as the net that they are compared with.
    """
    if not hasattr(BASIC[spec.model], "tries") or expected_seconds(spec, schema, roles) <= QUICK:
        return spec
    return spec.changed(settings={**spec.settings, "tries": 1})


def affordable(
    specs: Sequence[TrialSpec], schema: Schema, roles: Roles, *, seconds: float, workers: int, trials: int | None = None
) -> tuple[list[TrialSpec], list[dict[str, str]]]:
    """Return the specs whose predicted time fits a quarter of the search, and rows of ``left_out``.

    Args:
        specs: from ``basic_specs``; those of ``ALWAYS`` stay.
        schema: columns and target.
        roles: folds, or training rows.
        seconds: of the search.
        workers: processes that share it.
        trials: budget in trials, of which basic models take at most a third, or None.

    """
    kept: list[TrialSpec] = []
    out: list[dict[str, str]] = []
    left = SHARE * seconds * workers
    for spec in specs:
        needed = expected_seconds(spec, schema, roles)
        if spec.model not in (*ALWAYS, *NAIVE, *WIDE) and trials is not None and len(kept) >= trials / 3:
            out.append({"what": spec.name, "why": f"basic models take at most a third of {trials} trials"})
            continue
        if spec.model not in (*ALWAYS, *NAIVE, *WIDE) and needed > left:
            why = f"about {needed:.0f} s, and the budget spares {max(left, 0):.0f} s for basic models"
            out.append({"what": spec.name, "why": why})
            continue
        left -= needed
        kept.append(spec)
    return kept, out


def _simplest(state: State) -> list[Result]:
    """Return the models that learn nothing, the best first: of a forecast what was last or a season ago."""
    naive = [(r.quality, i, r) for i, r in enumerate(state.done) if r.spec.model in NAIVE and r.quality is not None]
    best = [r for _, _, r in sorted(naive, key=lambda one: one[:2])]
    return best or [r for r in state.done if r.spec.model == "Majority"]


def compared(state: State, *, images: bool) -> dict[str, str]:
    """Return further models whose test figures the report compares with: plain net, simple rule, and a basic one."""
    groups = {
        "simple": _simplest(state),
        "plain": [r for r in state.done if r.spec.kind == "plain"],
        "boosting": [r for r in state.done if r.spec.model == "Boosting"],
    }
    if images:  # boosting takes tables alone
        groups["linear"] = [r for r in state.done if r.spec.model == "Linear"]
    return {name: found[0].spec.id for name, found in groups.items() if found}
