"""A study's model for a target, with the frontier to fall back on. The forms themselves: deployment/export."""

from types import SimpleNamespace

import pytest

from temperance.deployment.export import Limits, Outcome
from temperance.deployment.export.gate import Candidate
from temperance.records.errors import BundleError, StudyError
from temperance.study import targeting
from temperance.study.events import Chosen
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, State


def trial(number, quality, size, **settings):
    spec = TrialSpec(f"t{number:03}", f"model {number}", "single", "tabular", **settings)
    one = Result(spec, {"event": "done", "status": "done", "cost": {"bytes": size, "latency_1_ms": 0.1}})
    one.selection = None
    return one, quality


@pytest.fixture
def state(monkeypatch):
    made = [
        trial(0, 0.3, 90_000),
        trial(1, 0.4, 50_000),
        trial(2, 0.5, 4_000, teacher={"id": "", "name": "a forest", "kind": "basic", "model": "Forest"}),
    ]
    quality = {one.spec.id: value for one, value in made}
    monkeypatch.setattr(Result, "quality", property(lambda self: quality[self.spec.id]))
    monkeypatch.setattr(State, "done", property(lambda self: self.results))
    state = State(results=[one for one, _ in made])
    state.choice = Chosen(winner="t000", frontier=("t002", "t001", "t000"))
    return state


def test_others_of_the_frontier_follow_the_best_first(state):
    assert [one.spec.id for one in targeting.frontier(state)] == ["t001", "t002"]
    assert [*targeting._in_turn(state, Limits())] == ["t000", "t001", "t002"]


def test_what_no_form_can_make_small_enough_is_not_trained(state):
    assert [*targeting._in_turn(state, Limits(bytes=2_000))] == ["t000", "t002"]


def test_a_study_without_a_winner_says_so():
    with pytest.raises(StudyError, match="no winner"):
        next(targeting._in_turn(State(), Limits()))


def test_notes_name_what_was_passed_over_and_what_else_there_is(state, tmp_path):
    done = Outcome("edge", (Candidate("as it is"),), "as it is", tmp_path)
    told = targeting._noted(done, state, "t001", ["t000 model 0: too large"]).notes
    assert told[0] == "Passed over: t000 model 0: too large."
    assert any("--trial t002" in note and "4,000 bytes" in note for note in told)
    assert not any("no distilled" in note for note in told)


def test_the_next_of_the_frontier_ships_where_the_winner_does_not(state, monkeypatch, tmp_path):
    asked = []

    def exported(source, prepared, target, place, max_drop, limits, say):
        asked.append(source)
        if source == "t000":
            raise BundleError("too large")
        return Outcome(target, (Candidate("as it is"),), "as it is", place)

    monkeypatch.setattr(targeting, "fold", lambda _: state)
    monkeypatch.setattr(targeting, "settings_of", lambda _: (SimpleNamespace(), 0.0))
    monkeypatch.setattr(targeting, "prepare", lambda *_: SimpleNamespace())
    monkeypatch.setattr(targeting, "_bundle", lambda folder, state, one, *_: one)
    monkeypatch.setattr(targeting, "_exported", exported)
    done, shipped = targeting.export_for(tmp_path, "edge")
    assert (shipped, asked) == ("t001", ["t000", "t001"])
    assert done.folder == tmp_path / "bundle-edge"
    asked.clear()
    with pytest.raises(BundleError, match="t000 model 0: too large"):
        targeting.export_for(tmp_path, "edge", trial="t000")
    assert asked == ["t000"]
    (tmp_path / "bundle-t001-cpu").mkdir()
    with pytest.raises(StudyError, match="exists"):
        targeting.export_for(tmp_path, "cpu", trial="t001")
