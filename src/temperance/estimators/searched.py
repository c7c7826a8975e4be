"""A study in a temporary folder: what an estimator runs when it is given a budget."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temperance.core.recipe import Recipe
from temperance.estimators.packed import PackedBundle
from temperance.study.clock import Budget, parse_budget
from temperance.study.settings import StudySettings
from temperance.study.task import named

Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Searched:
    """How the study is run.

    Attributes:
        budget: ``"2m"``, ``"12trials"``, or a ``Budget``.
        metric: metric that decides; None: log loss, or RMSE.
        device: where nets are trained.
        workers: processes; None: one per core.
        seed: of everything random.
        out: folder that keeps the whole study; None keeps only ``study.json`` and the bundle, in memory.
        candidates: estimators, or ``module:name``, that compete with ours.
        starts: recipes that are tried first.
        net: the user's own net: ``module:function``, or a function; empty: ours.
        reading: what the user decided about the columns.
        costs: (truth, answer, cost) of mistakes.
        interval: level of the ranges around predicted numbers.

    """

    budget: str | Budget
    metric: str | None = None
    device: str = "auto"
    workers: int | None = None
    seed: int = 0
    out: str | Path | None = None
    candidates: tuple[Any, ...] = ()
    starts: tuple[Recipe, ...] = ()
    net: Any = ""
    reading: dict[str, Any] = field(default_factory=dict)
    costs: tuple[Any, ...] = ()
    interval: float | None = None

    def train(
        self,
        inputs: Any,
        targets: Any,
        *,
        task: str,
        beside: Mapping[str, Any] | None = None,
        weigh_test: bool = True,
        progress: Progress | None = None,
    ) -> tuple[PackedBundle, dict[str, Any]]:
        """Run the study on (inputs, targets); return the winner's bundle and ``study.json``.

        ``beside`` holds ``weight``, ``group`` and ``time`` per row, those that there are; ``weigh_test`` says
        whether the figures of the test rows are weighted.
        """
        began = time.monotonic()
        budget = parse_budget(self.budget) if isinstance(self.budget, str) else self.budget
        if self.out is not None:
            return self._run(inputs, targets, Path(self.out), budget, task, began, beside or {}, progress, weigh_test)
        with tempfile.TemporaryDirectory(prefix="temperance-study-") as scratch:
            return self._run(
                inputs, targets, Path(scratch) / "study", budget, task, began, beside or {}, progress, weigh_test
            )

    def _run(
        self,
        inputs: Any,
        targets: Any,
        out: Path,
        budget: Budget,
        task: str,
        began: float,
        beside: Mapping[str, Any],
        progress: Progress | None,
        weigh_test: bool,
    ) -> tuple[PackedBundle, dict[str, Any]]:
        from temperance.study.study import Study

        settings = StudySettings(
            data=(inputs, targets), target=None, out=out, budget=budget, task=task, metric=self.metric,
            seed=self.seed, device=self.device, workers=self.workers, started=began, command="temperance.fit",
            candidates=self.candidates, beside=dict(beside), net=named(self.net, out / "work"), reading=self.reading,
            weigh_test=weigh_test, costs=self.costs, interval=self.interval,
            starts=tuple({"name": f"your recipe {i}", "recipe": one.to_dict()} for i, one in enumerate(self.starts, 1)),
        )  # fmt: skip
        Study(settings, progress=progress).run()
        document = json.loads((out / "study.json").read_text(encoding="utf-8"))
        return PackedBundle.of(out / "bundle"), document
