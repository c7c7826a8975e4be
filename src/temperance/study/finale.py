"""The end of a study from the main process: refits and tests of the winner and of what it is compared with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from temperance.records.errors import StudyError
from temperance.study import record
from temperance.study.choose import Choice

if TYPE_CHECKING:
    from temperance.study.study import Study


class Finale:
    """Refits and tests run side by side: the winner's first, then those that still fit the budget.

    Args:
        study: the study, its search done.
        choice: the winner.

    """

    def __init__(self, study: Study, choice: Choice) -> None:
        self.study, self.choice = study, choice
        self.tests = {"winner": choice.winner, **record.extra_tests(study, choice)}
        self.refits = list(dict.fromkeys(m for trial in self.tests.values() for m in study.members(trial)))
        self.required = set(study.members(choice.winner))
        self.done: dict[str, dict[str, Any]] = {}
        self.lost: set[str] = set()
        self.finished: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Return ``{"refit": events by trial, "winner": event, "plain": event, …}``."""
        waiting, running = dict(self.tests), 0
        while waiting or self.refits or running:
            running += self._launch(waiting)
            if not running:
                break
            for kind in ("refit", "finish"):
                for event in self.study.take(kind):
                    running -= 1
                    self._refitted(event) if kind == "refit" else self._tested(event)
        return {"refit": self.done, **self.finished}

    def _launch(self, waiting: dict[str, str]) -> int:
        started = 0
        while self.study.pool.idle:
            name = self._ready(waiting)
            if name is not None:
                trial = waiting.pop(name)
                started += self._start_test(name, trial)
            elif self.refits:
                started += self._start_refit(self.refits.pop(0))
            else:
                break
        self.study.handle(0.0 if started else 0.25)
        return started

    def _ready(self, waiting: dict[str, str]) -> str | None:
        for name, trial in waiting.items():
            members = set(self.study.members(trial))
            if members & self.lost:
                waiting.pop(name)
                return self._ready(waiting)
            if members <= set(self.done):
                return name
        return None

    def _start_refit(self, trial: str) -> int:
        study, one = self.study, self.study.result(trial)
        expected = study.refit_seconds(one) + 1.0
        if trial not in self.required and expected > self._spare():
            self.lost.add(trial)
            study.left_out.append({"what": f"test of {one.spec.name}", "why": "no time left in the budget"})
            return 0
        spec = one.spec.changed(settings=one.event.get("chosen") or {}) if one.spec.kind == "basic" else one.spec
        study.pool.start(
            "refit", spec=spec.to_dict(), until=one.event.get("fraction", 1.0), traces=one.event.get("traces", [])
        )
        return 1

    def _spare(self) -> float:
        reserved = self.study.clock.reserved
        return self.study.clock.left - reserved.get("report", 1.0) - reserved.get("export", 1.0) - 0.5

    def _refitted(self, event: dict[str, Any]) -> None:
        trial = event["spec_id"]
        if event["event"] == "failed":
            if trial in self.required:
                raise StudyError(f"the refit failed: {event['why']}", "", f"Continue with --resume {self.study.out}")
            self.lost.add(trial)
            self.study.left_out.append({"what": f"test of {trial}", "why": event["why"]})
            return
        self.done[trial] = event
        self.study.ledger.write("refit", **{k: v for k, v in event.items() if k not in ("event", "job", "number")})

    def _start_test(self, name: str, trial: str) -> int:
        study = self.study
        if name != "winner" and trial == self.choice.winner and "winner" in self.finished:
            self.finished[name] = self.finished["winner"]
            return 0
        members = study.members(trial)
        seconds = None if math.isinf(study.clock.left) else max(0.5, self._spare() - 1.0)
        bundle = record.bundle_job(study, trial) if name == "winner" and study.settings.bundle else {}
        study.pool.start(
            "finish",
            members=[study.result(m).spec.to_dict() for m in members], weights=list(members.values()),
            seed=study.settings.seed, suite=study.settings.suite, name=name, seconds=seconds,
            out_of_fold=self._out_of_fold(trial), **bundle,
        )  # fmt: skip
        return 1

    def _tested(self, event: dict[str, Any]) -> None:
        name = event["name"]
        if event["event"] == "failed":
            if name == "winner":
                raise StudyError(
                    f"testing or exporting failed: {event['why']}", "", f"Continue with --resume {self.study.out}"
                )
            self.study.left_out.append({"what": f"test of {self.tests[name]}", "why": event["why"]})
            return
        self.finished[name] = event
        told = ("export_seconds", "evaluation_seconds", "temperature", "calibration")
        kept = {k: v for k, v in event.items() if k in told}
        self.study.ledger.write("finish", name=name, trial=self.tests[name], **kept)

    def _out_of_fold(self, trial: str) -> str:
        study = self.study
        if not study.prepared.roles.folds:
            return ""
        if study.result(trial).spec.kind != "ensemble":
            return f"trials/{trial}/selection.npy"
        answer = study.result(trial).prediction
        if answer is None:
            return ""
        full = np.full((len(study.prepared.table), *answer.shape[1:]), np.nan)
        full[study.scorer.rows] = answer
        np.save(study.work / "ensemble.npy", full)
        return "ensemble.npy"
