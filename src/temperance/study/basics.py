"""Basic models in a study: which are tried, how long they take, and their out-of-fold answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from temperance.evaluation.robustness import probe
from temperance.models import BASIC, cross_fit
from temperance.models.basic import Sample
from temperance.records.cost import TrialCost
from temperance.records.roles import Roles, sample
from temperance.records.schema import Schema
from temperance.study.bench import LATENCY_ROWS, BasicPredictor, Bench, Fitted
from temperance.study.serving import served_cost
from temperance.study.spec import TrialSpec
from temperance.training.price import peak_memory_bytes

ALWAYS = ("Majority", "Linear", "Boosting")
OFTEN = ("LightGBM", "CatBoost", "ExtraTrees")  # in the order in which they are worth their time
ROBUST_ROWS, SCALE_ROWS = 400, 5000
SHARE = 0.25  # of the search, over all workers, that basic models beyond ``ALWAYS`` may fill


def basic_specs(*, images: bool, seed: int) -> list[TrialSpec]:
    """Return the basic models that can compete here, in order; what takes tables is weak on pixels."""
    names = [name for name in (*ALWAYS, *OFTEN) if BASIC[name].takes_images or not images]
    return [
        TrialSpec("", BASIC[name].words, "basic", name, seed=seed) for name in names if not BASIC[name].absent()
    ]  # fmt: skip


def absent(*, images: bool) -> list[dict[str, str]]:
    """Return rows of ``left_out``: basic models whose package is not installed."""
    names = [] if images else [*ALWAYS, *OFTEN]
    return [{"what": BASIC[name].words, "why": BASIC[name].absent()} for name in names if BASIC[name].absent()]


def expected_seconds(spec: TrialSpec, schema: Schema, roles: Roles) -> float:
    """Return about how long a trial of a basic model takes: one fit, or one per fold."""
    columns = sum(max(1, min(len(c.vocabulary), 32)) for c in schema.columns)
    if schema.image_shape is not None:
        columns = int(np.prod([min(side, 16) for side in schema.image_shape[:2]])) * schema.image_shape[2]
    rows, times = len(roles.train), 1
    if roles.folds:
        rows, times = len(roles.folds[0][0]), len(roles.folds)
    return times * BASIC[spec.model].seconds(min(rows, spec.most_rows or rows), columns, schema.target.outputs)


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
        if spec.model not in ALWAYS and trials is not None and len(kept) >= trials / 3:
            out.append({"what": spec.name, "why": f"basic models take at most a third of {trials} trials"})
            continue
        if spec.model not in ALWAYS and needed > left:
            why = f"about {needed:.0f} s, and the budget spares {max(left, 0):.0f} s for basic models"
            out.append({"what": spec.name, "why": why})
            continue
        left -= needed
        kept.append(spec)
    return kept, out


def folded(
    bench: Bench,
    spec: TrialSpec,
    folder: Path,
    deadline: float,
    say: Callable[[dict[str, Any]], dict[str, Any]],
    robust: bool,
) -> dict[str, Any]:
    """Run one trial of a basic model over the folds; its out-of-fold answers go to ``selection.npy``.

    One setting and one stopping point are chosen for all folds together, by the answers that are compared.
    """
    table, folds = bench.table, bench.roles.folds
    whole = Sample(table.rows, table.target, table.weight)
    found = cross_fit(
        BASIC[spec.model](**spec.settings), whole, folds, schema=bench.schema, seed=spec.seed, until=deadline
    )
    if found is None:
        late = {"status": "discarded", "why": "out of time"}
        return {"id": spec.id, "cost": TrialCost().to_dict(), "chosen": None, **late}
    member, (rows, held) = found.members[0], folds[0]
    cost = TrialCost(seconds=found.seconds, peak_memory_bytes=peak_memory_bytes(), parameters=member.parameters,
                     bytes=8 * member.parameters)  # fmt: skip
    fitted = Fitted(spec, BasicPredictor(bench.schema, member), cost, None, found.chosen)
    np.save(folder / "selection.npy", found.answers)
    fitted.cost = served_cost(bench, fitted, table.rows.take(rows[:LATENCY_ROWS]))
    return {
        "id": spec.id, "cost": fitted.cost.to_dict(), "chosen": found.chosen, "status": "done",
        "tried": found.tried, "cannot_export": fitted.cannot_export,
        "files": {"selection": "selection.npy", "calibration": ""},
        "robustness": probe(
            fitted.predictor, table, held, limit=ROBUST_ROWS, clean_rows=sample(rows, SCALE_ROWS)
        ).overall.to_dict() if robust else None,
    }  # fmt: skip
