"""One folded run and basic models as candidates for a mixture: trained at once, without a clock or a worker."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.models import BASIC, cross_fit
from temperance.models.basic import Sample
from temperance.study import folded
from temperance.study.plan import default_settings
from temperance.study.runner import Runner
from temperance.study.search.portfolio import folded_specs
from temperance.study.spec import TrialSpec

NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Part:
    """A candidate.

    Attributes:
        spec: what was trained.
        predictor: what predicts.
        answer: answers on the rows that choose and weigh, with weights found without each row's fold.
        held: answers that calibrate, as sure of themselves as what ships.
        row: what ``study.json`` says of it.

    """

    spec: TrialSpec
    predictor: Any
    answer: NDArray[Any]
    held: NDArray[Any]
    row: dict[str, Any] = field(default_factory=dict)


def folded_part(runner: Runner, *, seed: int) -> Part:
    """Train the default folded run."""
    settings = default_settings(runner.table, runner.roles, model="Tabular")
    spec = folded_specs(settings=settings, task=runner.schema.target.task, seed=seed)[0].changed(id="t000")
    folder = runner.folder / "trials" / spec.id
    folder.mkdir(parents=True)
    found = folded.run(runner, spec, folder)
    roles, trained = runner.roles, found.fitted.trained
    answer, held = found.selection, found.calibration
    if roles.folds:
        answer, held = answer[roles.development], held[roles.development]
    else:
        held = found.fitted.predictor.predict(runner.table.rows.take(roles.calibration))
    row = {
        **spec.to_dict(), "status": "done", "cost": found.fitted.cost.to_dict(), "picks": found.picks,
        "attribution": found.attribution, "history": trained.history if trained else [], "trace": [],
        "epochs": trained.epochs if trained else 0.0,
    }  # fmt: skip
    return Part(spec, found.fitted.predictor, answer, held, row)


def basic_part(runner: Runner, name: str, number: str, *, seed: int) -> Part:
    """Fit a basic model: out of fold, then on all rows; or on the training rows where there are no folds."""
    started = time.monotonic()
    spec = TrialSpec(number, BASIC[name].words, "basic", name, seed=seed)
    roles, table = runner.roles, runner.table
    if roles.folds:
        whole = Sample(table.rows, table.target, table.weight)
        found = cross_fit(BASIC[name](), whole, roles.folds, schema=runner.schema, seed=seed, inputs=runner.blocks)
        assert found is not None, "only a clock can end a cross-fit"
        answer = held = found.answers[roles.development]
        fitted = runner.fit(spec.changed(settings=found.chosen), roles.development, NONE, measure=False)
    else:
        fitted = runner.fit(spec, roles.train, NONE, measure=False)
        answer, held = (fitted.predictor.predict(table.rows.take(i)) for i in (roles.selection, roles.calibration))
    cost = {**fitted.cost.to_dict(), "seconds": time.monotonic() - started}
    return Part(spec, fitted.predictor, answer, held, {**spec.to_dict(), "status": "done", "cost": cost})
