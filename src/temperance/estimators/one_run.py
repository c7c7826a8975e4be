"""One folded run beside two simple models, weighed on rows that none of them learned: an estimator without a budget."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from temperance.data import save_roles
from temperance.data.roles import split
from temperance.evaluation import decide
from temperance.evaluation.calibration import Calibrated, calibrate
from temperance.models import BASIC, cross_fit
from temperance.models.basic import Sample
from temperance.records.decision import Costs
from temperance.records.stated_range import StatedRange, check_level, rows_for
from temperance.records.table import Table
from temperance.study import folded
from temperance.study.basics import WIDE, has_wide
from temperance.study.ensemble import blend, mixed
from temperance.study.finish import EnsemblePredictor
from temperance.study.plan import can_fold, default_settings
from temperance.study.runner import Runner
from temperance.study.search.portfolio import folded_specs
from temperance.study.spec import TrialSpec
from temperance.study.store import save_table

LEAST_ROWS, LEAST_OF_A_CLASS = 40, 3  # fewer cannot be folded and weighed with sense
BESIDE = ("Linear", "Boosting")
NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Part:
    """A candidate: what predicts, its answers on the held rows, and those that calibrate."""

    spec: TrialSpec
    predictor: Any
    answer: NDArray[Any]
    held: NDArray[Any]
    row: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OneRun:
    """Trains on all rows; nothing is held out of what ships but by folds.

    Attributes:
        device: ``cpu``, ``cuda`` …
        seed: of weights, order, noise and folds.
        prices: (truth, answer, cost) of mistakes.
        interval: level of the ranges around predicted numbers; None: 0.9.

    """

    device: str = "cpu"
    seed: int = 0
    prices: tuple[Any, ...] = ()
    interval: float | None = None

    @staticmethod
    def obstacle(table: Table) -> str | None:
        """Return why the rows cannot be folded; None where they can."""
        if table.schema.kind != "table":
            return "the inputs are images"
        if table.time is not None:
            return "the rows have an order in time, and folds would let later rows teach about earlier ones"
        if len(table) < LEAST_ROWS:
            return f"there are {len(table)} rows, and folds need {LEAST_ROWS}"
        if table.schema.target.task == "regression":
            return None
        fewest = int(np.unique(table.target, return_counts=True)[1].min())
        return f"a class has {fewest} rows, and folds need {LEAST_OF_A_CLASS}" if fewest < LEAST_OF_A_CLASS else None

    def train(self, table: Table) -> tuple[Any, dict[str, Any]]:
        """Return the predictor, and ``trials`` and ``winner`` as in ``study.json``."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # small steps are faster on one, and the same seed gives the same weights
        try:
            with tempfile.TemporaryDirectory(prefix="temperance-") as scratch:
                return self._train(table, Path(scratch))
        finally:
            torch.set_num_threads(threads)

    def _train(self, table: Table, scratch: Path) -> tuple[Any, dict[str, Any]]:
        roles = split(table, seed=self.seed, test=table.take(NONE))
        save_table(table, scratch / "table")
        save_roles(roles, scratch / "roles.npz")
        runner = Runner(scratch, device=self.device)
        parts = [self._folded(runner, scratch)] if can_fold("Tabular", roles) else []
        beside = (*BESIDE, *(WIDE if has_wide(table.schema) else ()))
        parts += [self._basic(runner, name, f"t{i:03d}") for i, name in enumerate(beside, 1)]
        truth = np.asarray(table.target)
        held = roles.judged
        weight = None if table.weight is None else table.weight[held]
        shares = blend([part.answer for part in parts], truth[held], roles.parts, weight).shares
        chosen = [(part, float(w)) for part, w in zip(parts, shares, strict=True) if w > 0]
        raw = chosen[0][0].predictor if len(chosen) == 1 else EnsemblePredictor(
            tuple(part.predictor for part, _ in chosen), tuple(w for _, w in chosen)
        )  # fmt: skip
        study = {
            "trials": [part.row for part in parts],
            "winner": {"trial": max(chosen, key=lambda one: one[1])[0].spec.id,
                       "members": {part.spec.id: w for part, w in chosen}},
        }  # fmt: skip
        rows = held if roles.folds else roles.calibration
        answer, guides = mixed([part.held for part in parts], shares), table.guides(rows)
        if table.schema.target.task == "regression":
            return self._ranged(raw, truth[rows], answer), study
        calibration = calibrate(answer, truth[rows], **guides)
        decision = None
        if self.prices:
            apart = calibration.held_out
            chances = calibration.calibrator.apply(answer) if apart is None else apart
            decision = decide(chances, truth[rows], Costs.of(self.prices, table.schema.target.classes), **guides)
        return Calibrated(raw, calibration.calibrator, decision=decision), study

    def _ranged(self, raw: Any, truth: NDArray[Any], answer: NDArray[Any]) -> Calibrated:
        """Return the predictor with ranges measured on rows that its members did not learn, where there are enough."""
        level, floor = check_level(self.interval), 0.0 if raw.schema.target.counts else None
        if len(truth) < max(10, rows_for(level)):
            return Calibrated(raw)
        return Calibrated(raw, band=StatedRange.of(truth - answer, answer, level=level, seed=self.seed, floor=floor))

    def _folded(self, runner: Runner, scratch: Path) -> _Part:
        settings = default_settings(runner.table, runner.roles, model="Tabular")
        spec = folded_specs(settings=settings, task=runner.schema.target.task, seed=self.seed)[0].changed(id="t000")
        folder = scratch / "trials" / spec.id
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
        return _Part(spec, found.fitted.predictor, answer, held, row)

    def _basic(self, runner: Runner, name: str, number: str) -> _Part:
        started = time.monotonic()
        spec = TrialSpec(number, BASIC[name].words, "basic", name, seed=self.seed)
        roles, table = runner.roles, runner.table
        if roles.folds:
            whole = Sample(table.rows, table.target, table.weight)
            found = cross_fit(
                BASIC[name](), whole, roles.folds, schema=runner.schema, seed=self.seed, inputs=runner.blocks
            )
            assert found is not None, "only a clock can end a cross-fit"
            answer = held = found.answers[roles.development]
            fitted = runner.fit(spec.changed(settings=found.chosen), roles.development, NONE, measure=False)
        else:
            fitted = runner.fit(spec, roles.train, NONE, measure=False)
            answer, held = (fitted.predictor.predict(table.rows.take(i)) for i in (roles.selection, roles.calibration))
        cost = {**fitted.cost.to_dict(), "seconds": time.monotonic() - started}
        return _Part(spec, fitted.predictor, answer, held, {**spec.to_dict(), "status": "done", "cost": cost})
