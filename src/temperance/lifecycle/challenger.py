"""Train the recipe of a champion on new rows and write it as a bundle; the search is left out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from temperance.lifecycle.champion import Champion
from temperance.lifecycle.probing import probe
from temperance.lifecycle.schedule import EXPORT_SECONDS, TEST_SECONDS, Schedule, schedule
from temperance.lifecycle.strength import Answer
from temperance.records.errors import BudgetError
from temperance.study import finish, jobs
from temperance.study.plan import Speed
from temperance.study.recipes import toml
from temperance.study.runner import Runner
from temperance.study.spec import TrialSpec

Left = Callable[[], float]
"""Seconds left of the budget."""


@dataclass(eq=False)
class Challenger:
    """A training under way.

    Args:
        champion: whose recipe is trained.
        runner: the new data.
        seed: of the weights, the order and the noise.
        left: seconds left of the budget.
        say: told in words what happens.

    """

    champion: Champion
    runner: Runner
    seed: int
    left: Left
    say: Callable[[str], None]
    notes: list[str] = field(default_factory=list)
    chosen: dict[str, Any] = field(default_factory=dict)
    courses: dict[str, dict[str, Any]] = field(default_factory=dict)
    strengths: Answer | None = None
    _tried: set[str] = field(default_factory=set)

    def train(self, *, elapsed: float) -> Schedule:
        """Train and refit every member; they lie in the study's folder then.

        Raises:
            BudgetError: the budget is too small.
            StudyError: a member cannot be trained on these rows.

        """
        self.specs = [spec.changed(seed=self.seed) for _, spec in self.champion.members]
        speeds = {spec.id: self._speed(spec) for spec in self.specs if spec.is_net}
        plan = schedule(self.specs, speeds, self.runner.roles, seconds=self.left(), elapsed=elapsed)
        self._note(plan)
        self.specs = [self._shortened(spec, plan.epochs_share) for spec in self.specs]
        for spec in self.specs:
            self.say(f"Training {spec.name}")
            began = time.monotonic()
            full = plan.mode == "trial" or spec.kind == "folded"
            self._trial(spec, plan) if full else self._course(spec)
            if spec is self._first and spec.id in self._tried:
                self._probe(spec, plan, time.monotonic() - began)
        for spec in self.specs:
            if spec.kind != "folded":  # it ships what its folds read
                self.say(f"Refitting {spec.name}")
                self._refit(spec)
        return plan

    def export(self, folder: Path, *, name: str, details: dict[str, Any]) -> dict[str, Any]:
        """Calibrate, check and write the bundle; return what ``study.finish`` reports."""
        weights = [weight for weight, _ in self.champion.members]
        job = {
            "members": [spec.to_dict() for spec in self.specs], "weights": weights, "seed": self.seed,
            "suite": "quick", "name": "challenger", "seconds": 0.0, "out_of_fold": self._out_of_fold(weights),
            "bundle": str(folder), "recipe": self._recipe(weights), "details": details, "model_name": name,
            "recipe_toml": toml(self._first.recipe or {}), "costs": self._costs(),
            "interval": self._level(),
        }  # fmt: skip
        return finish.finish(self.runner, job, _go_on)

    # -- parts ----------------------------------------------------------------------------------------------------

    @property
    def _first(self) -> TrialSpec:
        """The member whose course the bundle keeps: the net with most weight."""
        pairs = zip(self.champion.members, self.specs, strict=True)
        return max(pairs, key=lambda pair: pair[0][0] if pair[1].is_net else -1.0)[1]

    def _speed(self, spec: TrialSpec) -> Speed:
        plain = spec.changed(recipe={"regularizers": []})
        event = finish.pace(self.runner, {"spec": plain.to_dict()}, _go_on)
        return Speed(event["step_seconds"], event["fixed_seconds"])

    def _probe(self, spec: TrialSpec, plan: Schedule, seconds: float) -> None:
        """Ask whether more or less regularization is needed now; the better recipe goes on."""
        spare = EXPORT_SECONDS + TEST_SECONDS + plan.refit_seconds
        chosen, event, self.strengths = probe(
            self.runner, spec, metric=self.champion.metric, seconds=seconds, left=lambda: self.left() - spare,
            say=self.say,
        )  # fmt: skip
        if event is not None:
            self.specs = [chosen if one is spec else one for one in self.specs]
            self._keep(chosen, event)
            self.notes.append(self.strengths.sentence)

    def _note(self, plan: Schedule) -> None:
        if plan.mode == "course":
            self.notes.append(
                "To fit the budget, the strengths follow the course of the model in use; no controller read new rows."
            )
        if plan.epochs_share < 1:
            self.notes.append(f"To fit the budget, nets had {100 * plan.epochs_share:.0f} % of their epochs.")

    def _shortened(self, spec: TrialSpec, share: float) -> TrialSpec:
        if not spec.is_net or share >= 1:
            return spec
        return spec.changed(settings={**spec.settings, "epochs": round(spec.settings["epochs"] * share, 4)})

    def _trial(self, spec: TrialSpec, plan: Schedule) -> None:
        spare = self.left() - EXPORT_SECONDS - plan.refit_seconds
        seconds = None if math.isinf(spare) else max(0.5, spare)
        plain = spec if spec.is_net else spec.changed(settings={})
        job = {"spec": plain.to_dict(), "seconds": seconds, "robustness": False}
        event = jobs.trial(self.runner, job, _go_on)
        if event["status"] == "done":
            self._keep(spec, event)
            self._tried.add(spec.id)
        elif self.runner.roles.folds or spec.kind == "folded":
            raise BudgetError(
                f"training {spec.name} took longer than the budget allows",
                "small data need a training for each fold and a refit",
                "Give a larger --budget",
            )
        else:
            self.notes.append(f"{spec.name} ran out of time; it follows the course of the model in use.")
            self._course(spec)

    def _keep(self, spec: TrialSpec, event: dict[str, Any]) -> None:
        self.chosen[spec.id] = event.get("chosen")
        self.courses[spec.id] = {"fraction": event.get("fraction", 1.0), "traces": event.get("traces", [])}

    def _course(self, spec: TrialSpec) -> None:
        fraction, traces = self.champion.course(spec.id)
        self.chosen[spec.id] = self.champion.chosen(spec.id) or None
        self.courses[spec.id] = {"fraction": fraction, "traces": traces}

    def _refit(self, spec: TrialSpec) -> None:
        course = self.courses[spec.id]
        settled = spec if spec.is_net else spec.changed(settings=self.chosen[spec.id] or {})
        job = {"spec": settled.to_dict(), "until": course["fraction"] or 1.0, "traces": course["traces"]}
        finish.refit(self.runner, job, _go_on)

    def _out_of_fold(self, weights: list[float]) -> str:
        """Write the members' weighted out-of-fold predictions; return the file's name, empty without folds."""
        if not self.runner.roles.folds:
            return ""
        parts = [
            weight * np.load(self.runner.folder / "trials" / spec.id / "selection.npy", allow_pickle=False)
            for weight, spec in zip(weights, self.specs, strict=True)
        ]
        np.save(self.runner.folder / "out_of_fold.npy", np.sum(parts, axis=0))
        return "out_of_fold.npy"

    def _level(self) -> float | None:
        """Return the level of the champion's intervals; the widths are measured anew."""
        bundle = self.champion.bundle
        return bundle.coverage if bundle.has_interval else None

    def _costs(self) -> list[list[Any]]:
        """Return the costs that the champion answers by; the threshold is chosen anew, on the new held-out rows."""
        decision = self.champion.bundle.decision
        return [] if decision is None else [list(one) for one in decision.costs.prices]

    def _recipe(self, weights: list[float]) -> dict[str, Any]:
        course = self.courses[self._first.id]
        rows = [
            {"weight": weight, **(spec if spec.is_net else spec.changed(settings={})).to_dict()}
            for weight, spec in zip(weights, self.specs, strict=True)
        ]
        return {
            "trial": self.champion.recipe.get("trial", ""), "members": rows, "fraction": course["fraction"],
            "traces": course["traces"], "chosen": self.chosen, "metric": self.champion.metric, "seed": self.seed,
            "parent": self.champion.bundle.version,
        }  # fmt: skip


@contextmanager
def one_thread() -> Iterator[None]:
    """Train on one thread, so that the same seed gives the same weights; put the setting back after."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _go_on(event: dict[str, Any]) -> dict[str, Any]:
    return {"continue": True}


def timer(seconds: float | None, started: float) -> Left:
    """Return what says how many seconds are left."""
    return lambda: math.inf if seconds is None else seconds - (time.monotonic() - started)
