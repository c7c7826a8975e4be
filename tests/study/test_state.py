"""The state is a fold: every question about a study is answered by its events."""

import numpy as np

from temperance.study.events import (
    Audited,
    Began,
    Chosen,
    Ended,
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
from temperance.study.state import State


def spec(number, **changed):
    return TrialSpec(f"t{number:03d}", f"net {number}", "cocktail", "Tabular").changed(**changed).to_dict()


def trial(number, at=0.0, status="done", quality=0.5):
    return Tried(spec=spec(number), result={"status": status}, quality=quality, at=at)


FIRST = [
    Began(settings={"seed": 1}), Prepared(data="hash", at=1.0), Audited(findings=({"check": "leaks"},)),
    Paced(speed={"step_seconds": 0.1}), Proposed(spec=spec(0), by="Portfolio"), Proposed(spec=spec(1), by="TPE"),
    Proposed(spec=spec(2), by="TPE"), Marked(trial="t001", fraction=0.25, file="mark_25.npy"), trial(0, at=12.0),
    trial(1, at=15.0, status="discarded", quality=None), LeftOut(what="x", why="y"), LeftOut(what="x", why="y"),
    Lost(worker=1, code=-9), Refitted(id="t000", rows=10), Finished(name="winner", trial="t000"),
    Chosen(winner="t000"), Failed(why="the disk is full", at=17.0),
]  # fmt: skip


def test_all_that_was_learned_is_there():
    state = State.fold(FIRST)
    assert state.data == "hash"
    assert state.findings == [{"check": "leaks"}]
    assert state.pace.speed == {"step_seconds": 0.1}
    assert [r.status for r in state.results] == ["done", "discarded"]
    assert state.marks == {0.25: {"t001": "mark_25.npy"}}
    assert state.left_out == [{"what": "x", "why": "y"}]
    assert len(state.lost) == 1
    assert state.failed == "the disk is full"
    assert state.choice.winner == state.tests["winner"].trial == "t000"


def test_what_was_proposed_is_known_and_what_did_not_end_runs_first():
    state = State.fold(FIRST)
    assert [one.id for one in state.unfinished] == ["t002"]
    assert state.next_id == "t003"
    words = [(word, rest[0] if word == "asked" else rest[0].id) for word, *rest in state.history]
    assert words == [("asked", "Portfolio"), ("asked", "TPE"), ("asked", "TPE"), ("told", "t000"), ("told", "t001")]


def test_a_new_session_keeps_what_was_learned_and_the_time_that_was_spent():
    state = State.fold([*FIRST, Began(settings={"seed": 1}), trial(2, at=4.0)])
    assert state.spent == 17.0 + 4.0
    assert state.marks
    assert state.findings
    assert state.refits
    assert len(state.results) == 3
    assert (state.left_out, state.tests, state.choice, state.failed) == ([], {}, None, "")
    assert State.fold([*FIRST, Began(), trial(2, at=4.0), Began(), LeftOut(at=1.0)]).spent == 22.0


def test_a_stopped_trial_runs_again_and_an_ensemble_is_weighed_anew():
    end = [
        Stopped(),
        trial(2, status="interrupted", quality=None),
        Mixed(spec=spec(9, kind="ensemble")),
        Ended(status="x"),
    ]
    state = State.fold([*FIRST, *end])
    assert (state.stopped, state.status) == (True, "x")
    assert state.results[-1].spec.kind == "ensemble"
    again = State.fold([*FIRST, *end, Began()])
    assert [r.spec.id for r in again.results] == ["t000", "t001"]
    assert [one.id for one in again.unfinished] == ["t002"]
    assert not again.stopped


def test_one_ensemble_at_a_time_and_its_members():
    mixed = spec(9, kind="ensemble", settings={"members": {"t000": 1.0}})
    state = State.fold([trial(0), Mixed(spec=spec(8, kind="ensemble")), Mixed(spec=mixed)])
    assert [r.spec.id for r in state.results] == ["t000", "t009"]
    assert state.members("t009") == {"t000": 1.0}
    assert state.members("t000") == {"t000": 1.0}
    assert [r.spec.id for r in state.trials] == ["t000"]


def test_no_result_has_no_best():
    state = State.fold(FIRST)
    assert state.best is None
    state.results[0].losses = np.zeros(3)
    assert state.best is state.results[0]
    assert state.best.quality == 0.0
