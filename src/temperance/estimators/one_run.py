"""One folded run beside two simple models, weighed on rows that none of them learned: an estimator without a budget."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from temperance.data import save_roles
from temperance.data.roles import split
from temperance.evaluation import decide
from temperance.evaluation.calibration import Calibrated, calibrate
from temperance.records.decision import Costs
from temperance.records.stated_range import StatedRange, check_level, rows_for
from temperance.records.table import Table
from temperance.study.basics import WIDE, has_wide
from temperance.study.ensemble import blend, mixed
from temperance.study.finish import EnsemblePredictor
from temperance.study.parts import basic_part, folded_part
from temperance.study.plan import can_fold
from temperance.study.runner import Runner
from temperance.study.store import save_table

LEAST_ROWS, LEAST_OF_A_CLASS = 40, 3  # fewer cannot be folded and weighed with sense
BESIDE = ("Linear", "Boosting")
NONE = np.empty(0, dtype=np.int64)


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
        parts = [folded_part(runner, seed=self.seed)] if can_fold("Tabular", roles) else []
        beside = (*BESIDE, *(WIDE if has_wide(table.schema) else ()))
        parts += [basic_part(runner, name, f"t{i:03d}", seed=self.seed) for i, name in enumerate(beside, 1)]
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
