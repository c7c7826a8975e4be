"""The end of a study: the ensemble, the choice, and refits and tests of the winner and what it is compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from temperance.deployment.record import keep_record
from temperance.records.errors import StudyError
from temperance.study.ahead import refit_job, refitted
from temperance.study.basics import compared
from temperance.study.choose import Candidate, Choice, choose, frontier
from temperance.study.desk import Desk
from temperance.study.ensemble import Blend, blend, mean_robustness, mixed, summed
from temperance.study.events import Chosen, Finished, Mixed
from temperance.study.reserves import refit_seconds, ships_as_it_is, together
from temperance.study.results import candidate
from temperance.study.shipping import bundle_job
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, ranked

MOST_MEMBERS = 12  # trials that an ensemble is drawn from
EXPORT = "export"
NEEDED = ("winner", EXPORT)  # what a study cannot end without
BEFORE_A_TEST = 0.5  # seconds that a test of something beside the winner must have left at least


@dataclass(frozen=True)
class Outcome:
    """What a study ended with.

    Attributes:
        choice: the winner and why.
        edge: the candidates that nothing dominates.
        finished: events of the tests by name (``winner``, ``plain`` …) and ``refit``: events by trial.

    """

    choice: Choice
    edge: tuple[Candidate, ...]
    finished: dict[str, Any] = field(default_factory=dict)


class Unfinished(StudyError):
    """A candidate that was chosen could not be refitted, tested or exported."""


def conclude(desk: Desk) -> Outcome:
    """Choose, refit, test and export. A winner that cannot be finished makes way for the next best.

    Raises:
        StudyError: no trial finished, or none that is within the limits.

    """
    if not _may_win(desk):
        raise desk.nothing_finished()
    mix(desk)
    lost: set[str] = set()
    while True:
        try:
            return _with_winner(desk, lost)
        except Unfinished as fault:
            one = desk.state.choice
            assert one is not None
            lost |= {one.winner}
            desk.leave_out(f"{desk.state.result(one.winner).spec.name} as the winner", str(fault))
            if not [r for r in _may_win(desk) if r.spec.id not in lost]:
                raise


def _with_winner(desk: Desk, lost: set[str]) -> Outcome:
    pool = desk.state.done
    candidates = {r.spec.id: _usable(desk, r) for r in pool if r.spec.id not in lost}
    if not any(c.allowed for c in candidates.values()):
        candidates = {r.spec.id: _candidate(desk, r) for r in pool if r.spec.id not in lost}
    if not any(c.allowed for c in candidates.values()):
        raise StudyError(
            "no trial is within --max-latency and --max-size",
            f"the fastest takes {min(c.latency_1_ms for c in candidates.values()):.3g} ms a row, "
            f"the smallest has {min(c.bytes for c in candidates.values()):.3g} bytes",
            f"Go on with looser ones: `temperance study --resume {desk.out}` with --max-latency or --max-size",
        )
    names = {r.spec.id: r.spec.name for r in pool}
    choice = choose(list(candidates.values()), metric=desk.prepared.metric, names=names, prefer=desk.settings.prefer)
    edge = frontier(list(candidates.values()))
    entered = math.fsum(r.wall for r in desk.state.done if r.spec.kind != "ensemble")
    desk.tell(Chosen(winner=choice.winner, why=choice.why, comparison=choice.comparison, frontier=tuple(edge),
                     fit_seconds=round(entered, 3)))  # fmt: skip
    desk.clock.begin("refit")
    desk.say("refit", message=f"Best: {names[choice.winner]}. Testing and exporting.")
    return Outcome(choice, tuple(candidates[i] for i in edge), Finale(desk, choice).run())


# -- candidates -------------------------------------------------------------------------------------------------------


def _may_win(desk: Desk) -> list[Result]:
    return [r for r in desk.state.done if not (desk.settings.only and r.spec.kind == "basic")]


def _candidate(desk: Desk, result: Result) -> Candidate:
    settings = desk.settings
    one = candidate(result, max_latency_ms=settings.max_latency_ms, max_bytes=settings.max_bytes)
    return replace(one, allowed=one.allowed and result in _may_win(desk))


def _usable(desk: Desk, result: Result) -> Candidate:
    """Return the candidate; not allowed to win where it needs a refit that there is no time for."""
    one = _candidate(desk, result)
    free = result.spec.kind in ("ensemble", "basic") or ships_as_it_is(result)
    if free or not one.allowed or fits(desk, [result]):
        return one
    desk.leave_out(f"{result.spec.name} as the winner", "its refit does not fit the budget")
    return replace(one, allowed=False)


def fits(desk: Desk, results: list[Result]) -> bool:
    """Return whether these models can be refitted, where they still need it, and tested in the time that is left."""
    needed = together([refit_seconds(r, desk.prepared.roles) for r in _due(desk, results)], desk.workers.count)
    rest = sum(desk.clock.reserved.get(part, 0.0) for part in ("evaluation", "export", "report"))
    return needed + rest <= desk.clock.left


def _due(desk: Desk, results: list[Result]) -> list[Result]:
    """Return those that still need a refit before they ship."""
    return [r for r in results if not ships_as_it_is(r) and r.spec.id not in desk.state.refits]


def mix(desk: Desk) -> None:
    """Weigh a mixture of finished trials, where its members can be finished in time."""
    done = [r for r in _may_win(desk) if r.spec.kind != "ensemble" and r.spec.model != "Majority"]
    done = [r for r in ranked(done) if _candidate(desk, r).allowed and fits(desk, [r])][:MOST_MEMBERS]
    ready = [r for r in done if not _due(desk, [r])]
    chosen, found = _weighed(desk, done)
    if chosen and not fits(desk, [r for r, _ in chosen]):
        desk.leave_out("an ensemble", "the refits of its members do not fit the budget")
        chosen, found = _weighed(desk, ready)
    if found is None or len(chosen) < 2:
        return
    members = {r.spec.id: w for r, w in chosen}
    spec = TrialSpec(
        "ensemble", "ensemble of " + " and ".join(r.spec.name for r, _ in chosen), "ensemble", "ensemble",
        settings={"members": members}, seed=desk.settings.seed,
    )  # fmt: skip
    event = {"event": "done", "status": "done", "cost": summed([r for r, _ in chosen]),
             "robustness": mean_robustness(chosen)}  # fmt: skip
    blended(desk, spec, event, selection=found.selection)


def _weighed(desk: Desk, done: list[Result]) -> tuple[list[tuple[Result, float]], Blend | None]:
    """Return those of the results that have a share in their mixture, with it, and the mixture."""
    answers = [r.answer for r in done if r.answer is not None]
    if len(answers) < 2:
        return [], None
    rows, table = desk.scorer.rows, desk.prepared.table
    weight = None if table.weight is None else table.weight[rows]
    found = blend(answers, table.target[rows], desk.prepared.roles.parts, weight)
    return [(r, float(w)) for r, w in zip(done, found.shares, strict=True) if w > 0], found


def blended(desk: Desk, spec: TrialSpec, event: dict[str, Any], *, selection: Any = None) -> None:
    """Note a mixture of finished trials, with the answers that follow from theirs.

    ``selection`` are its answers by weights that were found without each row's fold; None: by those that ship.
    """
    members = dict(spec.settings["members"])
    parts, shares = [desk.state.result(m) for m in members], np.array(list(members.values()))
    answer = mixed([p.answer for p in parts if p.answer is not None], shares) if selection is None else selection
    held = mixed([p.held for p in parts if p.held is not None], shares)
    made = Result(spec, event)
    desk.scorer.fill(made, answer, held)
    desk.tell(Mixed(spec=spec.to_dict(), result=event, members=members, quality=made.quality))
    desk.scorer.fill(desk.state.results[-1], answer, held)


# -- refits and tests -------------------------------------------------------------------------------------------------


class Finale:
    """Refits and tests run side by side: the winner's first, then those that still fit the budget.

    Args:
        desk: of the study, its search done.
        choice: the winner.
        alone: finish the winner and nothing that it is compared with.
        bundle: where the winner is exported to; None: the study's ``bundle``, where its settings ask for one.

    """

    def __init__(self, desk: Desk, choice: Choice, *, alone: bool = False, bundle: Path | None = None) -> None:
        self.desk, self.choice, self.bundle = desk, choice, bundle
        others = {} if alone else compared(desk.state, images=desk.prepared.table.schema.kind == "images")
        self.same = [name for name, trial in others.items() if trial == choice.winner]
        self.tests = {"winner": choice.winner, **{k: v for k, v in others.items() if k not in self.same}}
        if desk.workers.count > 1 and (bundle is not None or desk.settings.bundle):  # beside the test of the winner
            self.tests = {"winner": choice.winner, EXPORT: choice.winner, **self.tests}
        self.required = set(desk.state.members(choice.winner))
        members = dict.fromkeys(m for trial in self.tests.values() for m in desk.state.members(trial))
        self.done: dict[str, dict[str, Any]] = {}
        self.refits: list[str] = []
        for member in members:
            if not self._stands(member):
                self.refits.append(member)
        self.lost: set[str] = set()
        self.finished: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Return ``{"refit": events by trial, "winner": event, "plain": event, …}``.

        Raises:
            Unfinished: the winner could not be finished.

        """
        try:
            self._run()
        except Unfinished:
            for lease in list(self.desk.workers.running):  # of a winner that makes way
                self.desk.workers.kill(lease)
            raise
        winner = self.finished.pop("winner")
        exported = self.finished.pop(EXPORT, {"wall": 0.0})
        figures = winner["evaluation"].get("measurements")
        if figures and "bundle" in exported:  # it was written while another worker tested
            keep_record(Path(exported["bundle"]), figures, rows=winner["evaluation"]["n"])
        winner = {**exported, **winner, "wall": winner["wall"] + exported["wall"]}
        self._tell("winner", winner)
        return {"refit": self.done, **self.finished, **dict.fromkeys(["winner", *self.same], winner)}

    def _run(self) -> None:
        waiting, running = dict(self.tests), 0
        while waiting or self.refits or running:
            running += self._launch(waiting)
            if not running:
                break
            for kind in ("refit", "finish", EXPORT):
                for event in self.desk.take(kind):
                    running -= 1
                    self._refitted(event) if kind == "refit" else self._tested(event)
            running -= self._late()

    def _stands(self, trial: str) -> bool:
        """Take a model as it is: refitted in an earlier session, shipped by its trial, or no time for a refit."""
        desk, one = self.desk, self.desk.state.result(trial)
        known = desk.state.refits.get(trial)
        there = any((desk.work / "refit" / f"{trial}.{end}").exists() for end in ("safetensors", "pickle"))
        if known is not None and there:
            self.done[trial] = {"rows": known.rows, "cost": known.cost, "acted": known.acted, "trace": known.trace}
            return True
        needed = [refit_seconds(desk.state.result(m), desk.prepared.roles) for m in (*self.refits, trial)]
        hurried = desk.state.stopped or together(needed, desk.workers.count) > self._spare(required=True)
        may = one.event.get("weights") and (hurried or trial not in self.required)  # what only compares does without
        if not (one.event.get("shipped") or may):
            return False
        rows = one.spec.most_rows or len(desk.prepared.roles.train) or len(desk.prepared.roles.refit)
        told: dict[str, Any] = {"cost": {}, "acted": [], "trace": []}
        self.done[trial] = {"rows": rows, **{name: one.event.get(name, empty) for name, empty in told.items()}}
        return True

    def _launch(self, waiting: dict[str, str]) -> int:
        started = 0
        while self.desk.workers.idle:
            name = self._ready(waiting)
            if name is not None:
                started += self._start_test(name, waiting.pop(name))
            elif self.refits:
                started += self._start_refit(self.refits.pop(0))
            else:
                break
        self.desk.handle(0.0 if started else 0.25)
        return started

    def _ready(self, waiting: dict[str, str]) -> str | None:
        for name, trial in list(waiting.items()):
            members = set(self.desk.state.members(trial))
            if members & self.lost:
                waiting.pop(name)
            elif members <= set(self.done):
                return name
        return None

    def _start_refit(self, trial: str) -> int:
        desk, one = self.desk, self.desk.state.result(trial)
        expected = refit_seconds(one, desk.prepared.roles) + BEFORE_A_TEST
        if trial not in self.required and (expected > self._spare() or desk.state.stopped):
            self.lost.add(trial)
            desk.leave_out(f"test of {one.spec.name}", "no time left in the budget")
            return 0
        desk.workers.start("refit", **refit_job(one))
        return 1

    def _spare(self, required: bool = False) -> float:
        """Return the seconds that are left once what must follow is set aside."""
        kept = self.desk.clock.reserved
        parts = ("report", "export", "evaluation") if required else ("report", "export")
        return self.desk.clock.left - sum(kept.get(part, 0.0) for part in parts)

    @property
    def _is_ready(self) -> bool:
        """Whether the winner is tested, and exported where it ships."""
        return all(name in self.finished for name in NEEDED if name in self.tests)

    def _late(self) -> int:
        """End jobs that only compare once there is no time for them; return how many."""
        if not self._is_ready or self.desk.clock.left > self.desk.clock.reserved.get("report", 0.0):
            return 0
        late = list(self.desk.workers.running)
        for lease in late:
            self.desk.workers.kill(lease)
            trial = str(lease.job.get("spec", {}).get("id", ""))
            self.lost |= {trial}
            self.desk.leave_out(f"test of {lease.job.get('name') or trial}", "no time left in the budget")
        return len(late)

    def _refitted(self, event: dict[str, Any]) -> None:
        trial = event["spec_id"]
        if event["event"] == "failed":
            if trial in self.required:
                raise Unfinished(f"the refit failed: {event['why']}", "", f"Continue with --resume {self.desk.out}")
            self.lost.add(trial)
            self.desk.leave_out(f"test of {trial}", event["why"])
            return
        self.done[trial] = event
        self.desk.tell(refitted(event))

    def _start_test(self, name: str, trial: str) -> int:
        desk = self.desk
        if name not in NEEDED and (self._spare() < BEFORE_A_TEST or desk.state.stopped):
            desk.leave_out(f"test of {desk.state.result(trial).spec.name}", "no time left in the budget")
            return 0
        members = desk.state.members(trial)
        spare = self._spare()
        seconds = None if math.isinf(spare) else max(0.2, 0.0 if desk.state.stopped else spare)
        kind = EXPORT if name == EXPORT else "finish"
        bundled = name == EXPORT or (name == "winner" and EXPORT not in self.tests)
        desk.workers.start(
            kind,
            members=[desk.state.result(m).spec.to_dict() for m in members], weights=list(members.values()),
            seed=desk.settings.seed, suite=desk.settings.suite, name=name, seconds=seconds,
            out_of_fold=self._out_of_fold(trial), costs=[list(one) for one in desk.settings.costs],
            interval=desk.settings.interval, weigh_test=desk.settings.weigh_test,
            **(self._bundle(trial) if bundled else {}),
        )  # fmt: skip
        return 1

    def _bundle(self, trial: str) -> dict[str, Any]:
        if self.bundle is None and not self.desk.settings.bundle:
            return {}
        return bundle_job(self.desk, trial, self.bundle or self.desk.out / "bundle")

    def _tested(self, event: dict[str, Any]) -> None:
        name = event["name"]
        if event["event"] == "failed":
            if name in NEEDED:
                raise Unfinished(
                    f"testing or exporting failed: {event['why']}", "", f"Continue with --resume {self.desk.out}"
                )
            self.desk.leave_out(f"test of {self.desk.state.result(self.tests[name]).spec.name}", event["why"])
            return
        self.finished[name] = event
        if name not in NEEDED:
            self._tell(name, event)

    def _tell(self, name: str, event: dict[str, Any]) -> None:
        self.desk.tell(Finished(
            name=name, trial=self.tests[name], evaluation_seconds=event["evaluation_seconds"],
            export_seconds=event.get("export_seconds"), temperature=event.get("temperature"),
            calibration=event.get("calibration"), wall=round(event["wall"], 4),
        ))  # fmt: skip

    def _out_of_fold(self, trial: str) -> str:
        """Return the file of out-of-fold predictions that a model is calibrated by; empty without folds."""
        desk = self.desk
        if not desk.prepared.roles.folds:
            return ""
        if desk.state.result(trial).spec.kind != "ensemble":
            files = desk.state.result(trial).event["files"]
            return f"trials/{trial}/{files['calibration'] or files['selection']}"
        answer = desk.state.result(trial).held
        if answer is None:
            return ""
        full = np.full((len(desk.prepared.table), *answer.shape[1:]), np.nan)
        full[desk.scorer.rows] = answer
        np.save(desk.work / "ensemble.npy", full)
        return "ensemble.npy"
