"""The study: search under a budget, choose, refit, test, export, record."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from temperance.records.errors import StudyError
from temperance.study import record
from temperance.study.choose import Choice, choose, frontier
from temperance.study.clock import Clock, process_start
from temperance.study.ensemble import greedy_weights
from temperance.study.finale import Finale
from temperance.study.hunt import Hunt
from temperance.study.ledger import Ledger, read_ledger
from temperance.study.plan import (
    FIXED,
    trainings,
)
from temperance.study.pool import Pool, worker_count
from temperance.study.prepare import prepare
from temperance.study.race import Race
from temperance.study.results import Result, Scorer, candidate
from temperance.study.search.base import Proposer
from temperance.study.settings import StudySettings
from temperance.study.spec import TrialSpec

VARIANTS = 40  # damaged copies of the test rows that an evaluation predicts, at most 25,000 rows in all
REFIT = 1.3 * 1.1  # a refit has about 1.3 times the rows of a trial, and the machine may be busier by then
Progress = Callable[[dict[str, Any]], None]
"""Called with ``{"part", "done", "planned", "left_seconds", "best", "message"}`` whenever something happened."""


class Study:
    """One study in one folder; ``run`` does all of it.

    Args:
        settings: what to do.
        progress: told of every step.
        replay: specs of an earlier study to run again, in order, instead of a search.

    """

    def __init__(
        self, settings: StudySettings, *, progress: Progress | None = None, replay: list[TrialSpec] | None = None
    ) -> None:
        self.settings, self.replay = settings, replay
        self.progress = progress or (lambda _: None)
        self.out = settings.out
        self.work = self.out / "work"
        self.out.mkdir(parents=True, exist_ok=True)
        self.clock = Clock(settings.budget, settings.started or process_start())
        self.ledger = Ledger(self.out / "ledger.jsonl")
        self.results: list[Result] = []
        self.left_out: list[dict[str, str]] = []
        self.findings: list[dict[str, Any]] = []
        self.race = Race()
        self.interrupted = False
        self.count = 0
        self._other: dict[str, list[dict[str, Any]]] = {}
        self.proposer: Proposer | None = None

    # -- the whole ------------------------------------------------------------------------------------------------

    def run(self) -> Path:
        """Run everything and return the study folder."""
        self.clock.begin("read")
        self.workers = worker_count(self.settings.workers)
        self.pool = Pool(self.workers, self.work, task=self.settings.user_task, device=self._device())
        try:
            self.prepared = prepare(self.settings, self.work)
            self.scorer = Scorer(self.prepared, self.work)
            self.ledger.write("study", settings=self.settings.to_dict(), data=self.prepared.data["sha256"],
                              workers=self.workers, started=self.clock.started)  # fmt: skip
            self._resume()
            self.clock.reserved = dict(FIXED)
            self.clock.begin("search")
            try:
                Hunt(self).run()
            except KeyboardInterrupt:
                self.interrupted = True
                self._say("interrupted", message="Stopping: the best so far is kept.")
            return self._conclude()
        finally:
            self.pool.close()
            self.ledger.close()

    def _device(self) -> str:
        if self.settings.device != "auto":
            return self.settings.device
        return "cpu" if not _has_cuda() else "cuda"

    def _conclude(self) -> Path:
        done = [r for r in self.results if r.losses is not None]
        if not done:
            reasons = "; ".join(f"{r.spec.name}: {r.event.get('why', '')}" for r in self.results) or "no time"
            raise StudyError(
                f"no trial finished ({reasons})", "at least one model must be trained",
                f"Give more time, or continue with `temperance study --resume {self.out}`",
            )  # fmt: skip
        self._add_ensemble()
        pool = [r for r in self.results if r.losses is not None]
        candidates = {r.spec.id: self._usable(r) for r in pool}
        if not any(c.allowed for c in candidates.values()):
            raise StudyError(
                "no trial is within --max-latency and --max-size",
                f"the fastest takes {min(c.latency_1_ms for c in candidates.values()):.3g} ms a row, "
                f"the smallest has {min(c.bytes for c in candidates.values()):.3g} bytes",
                "Loosen the limits",
            )
        names = {r.spec.id: r.spec.name for r in pool}
        choice = choose(list(candidates.values()), metric=self.prepared.metric, names=names)
        edge = frontier(list(candidates.values()))
        self.ledger.write(
            "choice", winner=choice.winner, why=choice.why, comparison=list(choice.comparison), frontier=edge
        )
        self._say("refit", message=f"Best: {names[choice.winner]}. Refitting.")
        finished = self._finish(choice)
        self.clock.begin("report")
        return record.write(self, choice, [candidates[i] for i in edge], finished)

    def running(self) -> list[dict[str, Any]]:
        """Return the trials that run now."""
        return [job for job in self.pool.running if job["job"] == "trial"]

    # -- events ---------------------------------------------------------------------------------------------------

    def handle(self, seconds: float) -> None:
        """Wait for events of the workers, at most so long, and note them."""
        for job, event, answer in self.pool.wait(seconds):
            if event["event"] == "mark":
                self._mark(TrialSpec.from_dict(job["spec"]), event, answer)
            elif job.get("job") == "trial":
                wall = time.monotonic() - job["since"]
                self._finished(TrialSpec.from_dict(job["spec"]), {**event, "wall": wall})
            elif job.get("job") == "audit":
                self._audited(event)
            else:
                named = {"spec_id": job.get("spec", {}).get("id", ""), "name": job.get("name", "")}
                self._other.setdefault(job.get("job", ""), []).append({**named, **event})

    def _mark(self, spec: TrialSpec, event: dict[str, Any], answer: Callable[[dict[str, Any]], None]) -> None:
        """Race nets against nets alone.

        After one fold of few rows a net is right more often than a basic model, and too sure of it: by log loss it
        would lose to "the same answer for all", be discarded, and that answer would ship.
        """
        if not spec.is_net:
            answer({"continue": True})
            return
        losses = self.scorer.mark(event["id"], event["file"])
        go_on, reason = self.race.judge(event["id"], event["fraction"], losses)
        self.ledger.write("mark", **reason)
        answer({"continue": go_on or self.replay is not None})

    def _finished(self, spec: TrialSpec, event: dict[str, Any]) -> None:
        if event.get("until", 1.0) < 1.0:  # the clock ended it: the spec says where, so that a replay ends there too
            spec = spec.changed(until=event["until"])
        result = Result(spec, event if event["event"] == "done" else {**event, "status": "failed"})
        if result.status == "done":
            self.scorer.score(result)
        self.results.append(result)
        quality = result.quality
        self.ledger.write(
            "trial", spec=spec.to_dict(), result=result.event, quality=quality, elapsed=self.clock.elapsed
        )
        if self.proposer is not None:
            self.proposer.observe(spec, quality)
        self._reserve()
        said = f"{spec.name}: {result.status}" if quality is None else f"{spec.name}: {quality:.4g}"
        self._say("search", message=said)

    def _audited(self, event: dict[str, Any]) -> None:
        if event["event"] == "failed":
            self.left_out.append({"what": "audit", "why": event["why"]})
        self.findings = event.get("findings", [])
        self.ledger.write("audit", findings=self.findings, why=event.get("why", ""))

    def _reserve(self) -> None:
        """Set aside what the end will take, from what trials took."""
        done = [r for r in self.results if r.losses is not None and r.spec.kind != "ensemble"]
        if not done or self.settings.budget.seconds is None:
            return
        best = sorted(done, key=lambda r: r.quality or math.inf)[:3]
        each = [self.refit_seconds(r) for r in best]
        self.clock.reserved["refit"] = 0.5 + max(each[0], 0.8 * sum(each) / self.workers)
        row = max(float(r.event["cost"].get("latency_256_ms") or 1.0) for r in best) / 256 / 1000
        tested = len(self.prepared.roles.test)
        rows = tested + min(25_000, VARIANTS * tested)
        self.clock.reserved["evaluation"] = 1.0 + 1.5 * row * rows

    def refit_seconds(self, result: Result) -> float:
        """Return the expected time of a trial's refit."""
        roles = self.prepared.roles
        wall = float(result.event.get("wall") or result.seconds)
        return REFIT * wall / trainings(roles, result.spec.model) + 0.3

    def until_idle(self) -> None:
        """Wait until a worker is idle."""
        while not self.pool.idle:
            self.handle(0.5)

    def until_event(self, job: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for the events that end ``count`` jobs of a kind."""
        while len(self._other.get(job, [])) < count:
            self.handle(0.5)
        return self._other.pop(job)

    # -- ensemble, refit, test ------------------------------------------------------------------------------------

    def _add_ensemble(self) -> None:
        done = [r for r in self.results if r.prediction is not None and r.spec.kind != "ensemble"]
        done = [r for r in done if self._candidate(r).allowed and r.spec.model != "Majority" and self._refits([r])]
        if len(done) < 2:
            return
        done = sorted(done, key=lambda r: r.quality or math.inf)[:8]
        weights = greedy_weights(
            [r.prediction for r in done if r.prediction is not None],
            lambda p: float(self.scorer.losses(p, self.scorer.rows).mean()),
        )
        chosen = [(r, w) for r, w in zip(done, weights, strict=True) if w > 0]
        if len(chosen) < 2:
            return
        if not self._refits([r for r, _ in chosen]):
            self.left_out.append({"what": "an ensemble", "why": "the refits of its members do not fit the budget"})
            return
        members = {r.spec.id: w for r, w in chosen}
        spec = TrialSpec(
            "ensemble", "ensemble of " + " and ".join(r.spec.name for r, _ in chosen), "ensemble", "ensemble",
            settings={"members": members}, seed=self.settings.seed,
        )  # fmt: skip
        result = Result(spec, {"event": "done", "status": "done", "cost": _summed([r for r, _ in chosen]),
                               "robustness": _mean_robustness(chosen)})  # fmt: skip
        prediction = np.sum([w * r.prediction for r, w in chosen if r.prediction is not None], axis=0)
        self.scorer.fill(result, prediction)
        self.results = [r for r in self.results if r.spec.kind != "ensemble"] + [result]
        self.ledger.write("ensemble", members=members, quality=result.quality)

    def _refits(self, results: list[Result]) -> bool:
        """Return whether these models can be refitted and tested in the time that is left."""
        each = [self.refit_seconds(r) for r in results]
        needed = max([*each, sum(each) / self.workers])
        rest = sum(v for k, v in self.clock.reserved.items() if k != "refit")
        return needed + rest <= self.clock.left

    def _usable(self, result: Result) -> Any:
        """Return the candidate; not allowed to win where there is no time for its refit."""
        one = self._candidate(result)
        if result.spec.kind in ("ensemble", "basic") or self._refits([result]):
            return one
        self.left_out.append({"what": f"{result.spec.name} as the winner", "why": "its refit does not fit the budget"})
        return replace(one, allowed=False)

    def _candidate(self, result: Result) -> Any:
        return candidate(result, max_latency_ms=self.settings.max_latency_ms, max_bytes=self.settings.max_bytes)

    def result(self, trial: str) -> Result:
        """Return the result of a trial by id."""
        return next(r for r in self.results if r.spec.id == trial)

    def members(self, trial: str) -> dict[str, float]:
        """Return the members of a trial with their weights: itself, or those of the ensemble."""
        one = self.result(trial)
        return dict(one.spec.settings["members"]) if one.spec.kind == "ensemble" else {trial: 1.0}

    def _finish(self, choice: Choice) -> dict[str, Any]:
        self.clock.begin("refit")
        self._until_all_idle()
        return Finale(self, choice).run()

    def take(self, job: str) -> list[dict[str, Any]]:
        """Return the events of a kind of job that have arrived."""
        return self._other.pop(job, [])

    def _until_all_idle(self) -> None:
        while self.pool.running:
            self.handle(0.25)

    # -- resume, progress -----------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Take over the finished trials of an interrupted run of the same folder."""
        for row in read_ledger(self.out / "ledger.jsonl"):
            if row["event"] == "trial" and row["result"].get("status") == "done":
                result = Result(TrialSpec.from_dict(row["spec"]), row["result"])
                self.scorer.score(result)
                self.results.append(result)
            elif row["event"] == "audit":
                self.findings = row["findings"]
        self.count = len({r.spec.id for r in self.results})
        if self.results:
            self.count = max(int(r.spec.id[1:]) for r in self.results if r.spec.id[1:].isdigit()) + 1

    def _say(self, part: str, *, message: str) -> None:
        done = [r for r in self.results if r.quality is not None]
        best = min(done, key=lambda r: r.quality or math.inf) if done else None
        self.progress({
            "part": part, "done": len(self.results), "running": len(self.running()), "left_seconds": self.clock.left,
            "elapsed": self.clock.elapsed, "planned": self.settings.budget.trials, "message": message,
            "best": None if best is None else {"name": best.spec.name, "quality": best.quality},
            "metric": self.prepared.metric,
        })  # fmt: skip


def _summed(members: list[Result]) -> dict[str, Any]:
    """Return the cost of using all members one after the other."""
    keys = ("seconds", "passes", "latency_1_ms", "latency_256_ms", "parameters", "flops", "bytes")
    total: dict[str, Any] = {}
    for key in keys:
        values = [r.event["cost"].get(key) for r in members]
        total[key] = sum(v for v in values if v is not None) if any(v is not None for v in values) else None
    total["peak_memory_bytes"] = max(r.event["cost"].get("peak_memory_bytes") or 0 for r in members)
    return total


def _mean_robustness(chosen: list[tuple[Result, float]]) -> dict[str, Any] | None:
    """Return the weighted mean of the members' robustness, flagged as not measured itself."""
    rows = [(r.event.get("robustness"), w) for r, w in chosen]
    if any(row is None or row.get("value") is None for row, _ in rows):
        return None
    value = sum(w * row["value"] for row, w in rows if row is not None)
    return {
        **(rows[0][0] or {}),
        "value": value,
        "low": None,
        "high": None,
        "flags": ["mean of its members, not measured"],
    }


def _has_cuda() -> bool:
    return Path("/proc/driver/nvidia/version").exists()
