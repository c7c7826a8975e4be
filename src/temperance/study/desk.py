"""The desk of a study: state, ledger, clock and workers in one place. Search and finale ask it and tell it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from temperance.records.errors import StudyError, TemperanceError
from temperance.study.clock import Clock, process_start
from temperance.study.discarding import Discarding
from temperance.study.events import (
    Audited,
    Began,
    Event,
    Failed,
    LeftOut,
    Lost,
    Marked,
    Prepared,
    Proposed,
    Stopped,
    Tried,
)
from temperance.study.ledger import Ledger, read_events
from temperance.study.lock import FolderLock
from temperance.study.prepare import prepare
from temperance.study.processes import started
from temperance.study.reserves import FIRST, pressure, reserves
from temperance.study.results import Scorer, natural
from temperance.study.settings import StudySettings
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, State
from temperance.study.workers import Answer, Lease, Workers

OVERTIME = 1.5  # seconds on a free machine that a job gets beyond what was kept back for its end
START = 2.0  # seconds on a free machine until a new worker is ready
GRACE = 12.0  # seconds in which a study ends that the user stopped: less than what schedulers wait before they kill
NEVER_DISCARDED = ("plain", "basic")
Progress = Callable[[dict[str, Any]], None]
"""Called with ``{"part", "done", "planned", "left_seconds", "best", "message"}`` whenever something happened."""


class Desk:
    """Holds a study's folder. What happens is told once, by ``tell``: to the ledger, then to the state.

    Args:
        settings: what to do.
        progress: told of every step.
        patient: nothing is discarded early (a replay).
        workers: who works; processes of this machine where left out. They may be starting already.
        lock: of the folder, where it is held already.
        aside: write events here instead of to the study's ledger, which is read all the same (an export).

    Raises:
        StudyError: another study runs in the folder.

    """

    def __init__(
        self, settings: StudySettings, *, progress: Progress | None = None, patient: bool = False,
        workers: Workers | None = None, lock: FolderLock | None = None, aside: Path | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.patient = settings, patient
        self.progress = progress or (lambda _: None)
        self.out, self.work = settings.out, settings.out / "work"
        began = process_start() if settings.started is None else settings.started
        self.lock = FolderLock(self.out) if lock is None else lock
        self._workers = workers
        path = self.out / "ledger.jsonl"
        try:
            self.state = State.fold(read_events(path) if path.exists() else ())
            self.ledger = Ledger(path if aside is None else aside)
        except BaseException:
            self.lock.release()
            raise
        self.clock = Clock(settings.budget, began, before=self.state.spent)
        self.clock.begin("read")
        self.stop_asked = False
        self.discarding = Discarding()
        self.heard: Callable[[TrialSpec, float | None], None] | None = None  # told of each trial that ended
        self.own: frozenset[str] = frozenset()  # names of trials that are never discarded
        self._asked: dict[int, float] = {}  # when jobs were asked to end, by number
        self.failed_refits: list[dict[str, Any]] = []  # in the search: the end of the study tries them again
        self._other: dict[str, list[dict[str, Any]]] = {}

    # -- begin and end --------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin a session: workers start while the data are read, and what an earlier session knew is opened."""
        if self._workers is None:
            self._workers = started(self.settings)
        self.tell(Began(settings=self.settings.to_dict(), workers=self._workers.count, moment=time.time()))
        self.prepared = prepare(self.settings, self.work)
        self.scorer = Scorer(self.prepared, self.work)
        self.tell(Prepared(data=self.prepared.data["sha256"]))
        self._reopen()
        self.clock.reserved = dict(FIRST)
        self.reserve()

    def close(self) -> None:
        """End the workers and give the folder back."""
        if self._workers is not None:
            self._workers.close()
        self.ledger.close()
        self.lock.release()

    @property
    def workers(self) -> Workers:
        """Who works."""
        assert self._workers is not None, "open the desk first"
        return self._workers

    def _reopen(self) -> None:
        """Read the predictions of trials that ended in earlier sessions; one whose files are gone has failed."""
        for result in self.state.trials:
            if result.status == "done":
                try:
                    self.scorer.score(result)
                except OSError as fault:
                    gone = {"status": "failed", "why": f"its predictions are gone: {fault.strerror or fault}"}
                    self.tell(Tried(spec=result.spec.to_dict(), result={**result.event, **gone}))
        for fraction, trials in self.state.marks.items():
            for trial, file in trials.items():
                if self.state.proposed[trial].is_net and (self.work / "trials" / trial / file).exists():
                    self.discarding.note(trial, fraction, self.scorer.mark(trial, file))

    # -- events ---------------------------------------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Write an event down and let it take effect."""
        event = replace(event, at=round(self.clock.session, 4))
        self.ledger.write(event)
        self.state.apply(event)

    def leave_out(self, what: str, why: str) -> None:
        """Note that something is not done."""
        if {"what": what, "why": why} not in self.state.left_out:
            self.tell(LeftOut(what=what, why=why))

    def fail(self, fault: BaseException) -> None:
        """Note that the session ends with an error, as far as the disk still takes it."""
        with suppress(TemperanceError):  # a full disk; the fault itself says so
            self.tell(Failed(why=str(fault) or type(fault).__name__))

    def ask_to_stop(self) -> None:
        """Have the study end soon and keep what it has. Safe to call from a signal handler."""
        self.stop_asked = True

    def handle(self, seconds: float) -> None:
        """Wait for words of the workers, at most so long, and act on them."""
        self._heed()
        for answer in self.workers.wait(seconds):
            self._take(answer)
        self._heed()

    def _heed(self) -> None:
        if not self.stop_asked or self.state.stopped:
            return
        self.tell(Stopped())
        self.clock.hurry(GRACE)
        self.say("interrupted", message="Stopping: the best so far is kept.")
        for lease in self.workers.running:
            if lease.kind == "trial":
                self.workers.stop(lease)
            elif lease.kind in ("audit", "pace"):
                self.workers.kill(lease)

    def _take(self, answer: Answer) -> None:
        lease, event = answer.lease, answer.event
        if event["event"] == "lost":
            trial = "" if lease is None else str(lease.job.get("spec", {}).get("id", ""))
            self.tell(Lost(worker=event["worker"], code=event["code"], retried=event["retried"], trial=trial,
                           job="" if lease is None else lease.kind))  # fmt: skip
        elif lease is None:
            return
        elif event["event"] == "mark":
            self._mark(lease, answer)
        elif lease.kind == "trial":
            self._tried(lease, event)
        elif lease.kind == "audit":
            self._audited(event, time.monotonic() - lease.since)
        else:
            named = {"spec_id": lease.job.get("spec", {}).get("id", ""), "name": lease.job.get("name", "")}
            wall = time.monotonic() - lease.since
            self._other.setdefault(lease.kind, []).append({**named, **event, "wall": wall})

    def _mark(self, lease: Lease, answer: Answer) -> None:
        """Judge a half-trained net among the nets; the plain one and the user's own recipe always go on."""
        event, spec = answer.event, TrialSpec.from_dict(lease.job["spec"])
        losses = self.scorer.mark(event["id"], event["file"])
        goes_on, reason = self.discarding.judge(spec.id, event["fraction"], losses)
        goes_on = goes_on or self.patient or spec.kind in NEVER_DISCARDED or spec.name in self.own
        if spec.is_net:
            self.discarding.note(spec.id, event["fraction"], losses)
        marked = Marked(trial=spec.id, fraction=event["fraction"], file=event["file"], goes_on=goes_on, **reason)
        self.tell(marked)
        answer.reply({"continue": goes_on})

    def _tried(self, lease: Lease, event: dict[str, Any]) -> None:
        spec = TrialSpec.from_dict(lease.job["spec"])
        if event.get("until", 1.0) < 1.0:  # the clock ended it: the spec says where, so that a replay ends there too
            spec = spec.changed(until=event["until"])
        if event.get("again"):  # the same for a basic model: settings that give what it did, whatever the clock says
            spec = spec.changed(settings=event["again"])
        event = {**event, "wall": round(time.monotonic() - lease.since, 4)}
        if event["event"] != "done":
            event["status"] = "failed"
        elif event.get("status") == "discarded" and event.get("why") == "out of time" and self.state.stopped:
            event |= {"status": "interrupted", "why": "The study was stopped."}
        self.note_trial(spec, event)

    def note_trial(self, spec: TrialSpec, event: dict[str, Any]) -> None:
        """Score a trial that ended and note it."""
        result = Result(spec, event)
        if result.status == "done":
            self.scorer.score(result)
        quality = result.quality
        self.tell(Tried(spec=spec.to_dict(), result=event, quality=quality))
        if result.status == "done":
            self.scorer.score(self.state.results[-1])
        if self.heard is not None:
            self.heard(spec, quality)
        self.reserve()
        shown = result.status if quality is None else f"{natural(quality, self.prepared.metric):.4g}"
        self.say("search", message=f"{spec.name}: {shown}")

    def _audited(self, event: dict[str, Any], wall: float) -> None:
        if event["event"] == "failed":
            self.leave_out("audit", event["why"])
        found = tuple(event.get("findings", ()))
        self.tell(Audited(findings=found, why=event.get("why", ""), wall=round(wall, 4)))

    def reserve(self) -> None:
        """Work out anew what is kept back."""
        self.clock.reserved = reserves(
            self.state, self.prepared.roles, workers=self.workers.count, interrupted=self.state.stopped,
            budget=self.settings.budget.seconds, images=self.prepared.table.schema.kind == "images",
        )  # fmt: skip

    # -- jobs -----------------------------------------------------------------------------------------------------

    def launch(self, spec: TrialSpec, *, by: str, share: float = 1.0) -> None:
        """Start a trial, which gets an id unless it has one; it may take a share of the time that is left."""
        spec = spec if spec.id else spec.changed(id=self.state.next_id)
        left = share * (self.clock.for_search if spec.is_net else self.clock.for_trials)
        seconds = None if left == float("inf") else max(0.5, left)
        self.tell(Proposed(spec=spec.to_dict(), by=by))
        self.workers.start("trial", spec=spec.to_dict(), seconds=seconds)

    def trials_running(self) -> int:
        """Return how many trials run now."""
        return sum(lease.kind == "trial" for lease in self.workers.running)

    def until_idle(self) -> None:
        """Wait until a worker is idle."""
        while not self.workers.idle:
            self.handle(0.5)

    def take(self, job: str) -> list[dict[str, Any]]:
        """Return the events of a kind of job that have arrived."""
        return self._other.pop(job, [])

    def settle(self) -> None:
        """Wait for what still runs.

        At the end of its time a training is stopped and gets the time to close that nets needed before. What is not
        over by then is ended with its worker. After the user's word, so is soon what cannot be stopped.
        """
        self.handle(0.0)
        while self.workers.running:
            self.handle(0.25)
            late = [lease for lease in self.workers.running if self._left_for(lease) <= 0 or self.state.stopped]
            for lease in late:
                self.workers.stop(lease)
                self._asked.setdefault(lease.number, time.monotonic())
            self._end([lease for lease in late if self._is_overdue(lease)])

    def _left_for(self, lease: Lease) -> float:
        return self.clock.for_search if _closes(lease) else self.clock.for_trials

    def _is_overdue(self, lease: Lease) -> bool:
        if not self.state.stopped:  # from when it was asked: what is kept back may have grown at that moment
            pressed = pressure(self.state)
            allowed = pressed * OVERTIME + (self.clock.reserved.get("closing", 0.0) if _closes(lease) else 0.0)
            if not self.workers.idle:  # ending the last one costs the start of another
                allowed += pressed * START
            return time.monotonic() - self._asked[lease.number] > allowed or self.clock.left <= 0
        soon = self.clock.end - time.monotonic() < GRACE - 2 * OVERTIME and not _closes(lease)
        return soon or self.clock.for_trials < 0

    def _end(self, leases: list[Lease]) -> None:
        for lease in leases:
            self.workers.kill(lease)
            if lease.kind == "trial":
                status = "interrupted" if self.state.stopped else "discarded"
                wall = time.monotonic() - lease.since
                event = {"event": "failed", "why": "out of time", "status": status, "wall": wall}
                self.note_trial(TrialSpec.from_dict(lease.job["spec"]), event)
            elif lease.kind != "refit":  # that one the end of the study does, where it must
                self.leave_out(lease.kind, "no time left in the budget")

    # -- words ----------------------------------------------------------------------------------------------------

    def say(self, part: str, *, message: str) -> None:
        """Tell the progress."""
        best, metric = self.state.best, self.prepared.metric
        shown = None
        if best is not None and best.quality is not None:
            shown = {"name": best.spec.name, "quality": natural(best.quality, metric)}
        self.progress({
            "part": part, "done": len(self.state.trials), "running": self.trials_running(),
            "left_seconds": self.clock.left, "elapsed": self.clock.elapsed, "planned": self.settings.budget.trials,
            "message": message, "best": shown, "metric": metric,
        })  # fmt: skip

    def nothing_finished(self) -> StudyError:
        """Return the error of a study without a model that may win, with each reason whole."""
        reasons = {r.spec.name: str(r.event.get("why", "")) for r in self.state.trials if r.status != "done"}
        told = "; ".join(f"{name}: {why}" for name, why in list(reasons.items())[:5]) or "no time"
        what = "no trial of your net finished" if self.settings.only else "no trial finished"
        return StudyError(
            f"{what} ({told})", "at least one model must be trained",
            "Mend what is named, or give more time, and start again",
        )  # fmt: skip


def _closes(lease: Lease) -> bool:
    """Return whether a job is a net's training: it can be stopped at any step, and then needs time to close."""
    return lease.kind == "trial" and TrialSpec.from_dict(lease.job["spec"]).is_net
