"""What a study knows, folded from its events. To resume is to fold the ledger; nothing else is remembered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.study.events import (
    Audited,
    Began,
    Chosen,
    Ended,
    Event,
    Failed,
    Finished,
    LeftOut,
    Lost,
    Marked,
    Mixed,
    Paced,
    Prepared,
    Proposed,
    Refitted,
    Stopped,
    Tried,
)
from temperance.study.spec import TrialSpec


@dataclass(eq=False)
class Result:
    """One trial: what it was, what came of it.

    Attributes:
        spec: the trial.
        event: what the worker reported, or why it did not run.
        answer: on the selection rows, as the model gave it.
        held: the same on the rows that calibrate (as the shipped model would give it, where it has more members).
        prediction: the answer, calibrated; None unless it finished.
        losses: (b,) on the same rows.
        measurements: by name.

    """

    spec: TrialSpec
    event: dict[str, Any]
    answer: NDArray[Any] | None = None
    held: NDArray[Any] | None = None
    prediction: NDArray[Any] | None = None
    losses: NDArray[np.float64] | None = None
    measurements: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """``done``, ``discarded``, ``failed`` or ``interrupted``."""
        return str(self.event.get("status", "failed"))

    @property
    def quality(self) -> float | None:
        """Mean loss on the selection rows, None unless it finished."""
        return None if self.losses is None else float(self.losses.mean())

    @property
    def seconds(self) -> float:
        """Training time."""
        said = self.event.get("cost", {}).get("seconds")
        return 0.0 if said is None else float(said)

    @property
    def wall(self) -> float:
        """Seconds that the trial held a worker."""
        said = self.event.get("wall")
        return self.seconds if said is None else float(said)


@dataclass(eq=False)
class State:
    """A fold. ``apply`` is the only way to change it.

    Attributes:
        settings: of the latest session, as the ledger has them.
        data: hash of the data; empty until they were read.
        before: seconds that earlier sessions spent.
        latest: second of the latest event in this session.
        results: trials that ended, in their order; an ensemble comes last.
        proposed: specs of all trials that were started, by id.
        history: ``("asked", by, spec)`` and ``("told", spec, quality)`` in order: what proposers said and heard.
        marks: prediction files by fraction and trial.
        findings: of the audit; None until it ran.
        pace: of the net; None until it was measured.
        left_out: what was not done in this session, and why.
        lost: workers that ended by themselves.
        refits: by trial.
        tests: by name.
        choice: the latest.
        stopped: the user asked this session to end.
        failed: why this session failed; empty where it did not.
        status: ``complete`` or ``interrupted`` once this session has ended.

    """

    settings: dict[str, Any] = field(default_factory=dict)
    data: str = ""
    before: float = 0.0
    latest: float = 0.0
    results: list[Result] = field(default_factory=list)
    proposed: dict[str, TrialSpec] = field(default_factory=dict)
    history: list[tuple[Any, ...]] = field(default_factory=list)
    marks: dict[float, dict[str, str]] = field(default_factory=dict)
    findings: list[dict[str, Any]] | None = None
    pace: Paced | None = None
    left_out: list[dict[str, str]] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    refits: dict[str, Refitted] = field(default_factory=dict)
    tests: dict[str, Finished] = field(default_factory=dict)
    choice: Chosen | None = None
    stopped: bool = False
    failed: str = ""
    status: str = ""

    @classmethod
    def fold(cls, events: Iterable[Event]) -> State:
        """Return the state after all these events."""
        state = cls()
        for event in events:
            state.apply(event)
        return state

    def apply(self, event: Event) -> None:
        """Take one event in."""
        if isinstance(event, Began):
            self._began(event)
        self.latest = max(self.latest, event.at)
        match event:
            case Prepared():
                self.data = event.data
            case Audited():
                self.findings = list(event.findings)
            case Paced():
                self.pace = event
            case Proposed():
                spec = TrialSpec.from_dict(event.spec)
                self.proposed[spec.id] = spec
                self.history.append(("asked", event.by, spec))
            case Marked():
                self.marks.setdefault(event.fraction, {})[event.trial] = event.file
            case Tried():
                self._tried(event)
            case Mixed():
                self.results = [r for r in self.results if r.spec.kind != "ensemble"]
                self.results.append(Result(TrialSpec.from_dict(event.spec), dict(event.result)))
            case LeftOut():
                said = {"what": event.what, "why": event.why}
                self.left_out += [] if said in self.left_out else [said]
            case _:
                self._ending(event)

    def _began(self, event: Began) -> None:
        """Begin a session: time adds up, what the last one's end did is undone, what it learned stays."""
        self.before, self.latest = self.before + self.latest, 0.0
        self.settings = dict(event.settings)
        self.results = [r for r in self.results if r.spec.kind != "ensemble" and r.status != "interrupted"]
        self.left_out, self.tests, self.choice = [], {}, None
        self.stopped, self.failed, self.status = False, "", ""

    def _tried(self, event: Tried) -> None:
        spec = TrialSpec.from_dict(event.spec)
        self.results = [r for r in self.results if r.spec.id != spec.id] + [Result(spec, dict(event.result))]
        self.proposed.setdefault(spec.id, spec)
        if self.results[-1].status != "interrupted":
            self.history.append(("told", spec, event.quality))

    def _ending(self, event: Event) -> None:
        match event:
            case Lost():
                self.lost.append(event)
            case Stopped():
                self.stopped = True
            case Chosen():
                self.choice = event
            case Refitted():
                self.refits[event.id] = event
            case Finished():
                self.tests[event.name] = event
            case Failed():
                self.failed = event.why
            case Ended():
                self.status = event.status

    # -- questions ------------------------------------------------------------------------------------------------

    @property
    def spent(self) -> float:
        """Seconds of all sessions."""
        return self.before + self.latest

    @property
    def done(self) -> list[Result]:
        """Trials that can enter the choice."""
        return [r for r in self.results if r.losses is not None]

    @property
    def trials(self) -> list[Result]:
        """Trials that ended, without the ensemble."""
        return [r for r in self.results if r.spec.kind != "ensemble"]

    @property
    def names(self) -> set[str]:
        """Names of all trials that ended."""
        return {r.spec.name for r in self.results}

    @property
    def unfinished(self) -> list[TrialSpec]:
        """Trials that were started and did not end: what a resumed study runs first."""
        ended = {r.spec.id for r in self.results if r.status != "interrupted"}
        return [spec for trial, spec in self.proposed.items() if trial not in ended]

    @property
    def next_id(self) -> str:
        """The id of the next trial."""
        numbers = [int(trial[1:]) for trial in self.proposed if trial[1:].isdigit()]
        return f"t{max(numbers, default=-1) + 1:03d}"

    @property
    def best(self) -> Result | None:
        """The trial with the lowest mean loss; a loss of 0 is one."""
        known = [(quality, i) for i, r in enumerate(self.results) if (quality := r.quality) is not None]
        return self.results[min(known)[1]] if known else None

    def result(self, trial: str) -> Result:
        """Return the result of a trial by id."""
        return next(r for r in self.results if r.spec.id == trial)

    def members(self, trial: str) -> dict[str, float]:
        """Return the members of a trial with their weights: itself, or those of the ensemble."""
        one = self.result(trial)
        return dict(one.spec.settings["members"]) if one.spec.kind == "ensemble" else {trial: 1.0}


def ranked(results: Iterable[Result]) -> list[Result]:
    """Return finished trials, the lowest mean loss first."""
    known = [(quality, i, r) for i, r in enumerate(results) if (quality := r.quality) is not None]
    return [r for _, _, r in sorted(known, key=lambda row: row[:2])]
