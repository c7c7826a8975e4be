"""The desk: what workers say becomes events, and events are all that a later session needs."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from temperance.data import load_roles
from temperance.records.errors import StudyError
from temperance.study.basics import QUICK
from temperance.study.clock import Budget
from temperance.study.desk import Desk
from temperance.study.events import Paced
from temperance.study.search.loop import search
from temperance.study.spec import TrialSpec


def net(name="net 1", **changed):
    return TrialSpec("", name, "cocktail", "Tabular", {"regularizers": []}, {"epochs": 1.0, "batch_size": 8}).changed(
        **changed
    )


def rows(desk):
    return [json.loads(line) for line in (desk.out / "ledger.jsonl").read_text().splitlines()]


def test_a_trial_is_told_before_it_starts_and_when_it_ends(opened):
    desk = opened()
    desk.launch(net(), by="test")
    desk.settle()
    told = [row["event"] for row in rows(desk)]
    assert told == ["study", "data", "start", "trial"]
    assert desk.state.best.spec.id == "t000"
    assert desk.state.best.wall >= 0
    assert rows(desk)[-1]["quality"] == pytest.approx(desk.state.best.quality)


def test_a_later_session_knows_all_of_it_and_loses_no_time(opened):
    first = opened()
    first.workers.script["worse"] = [
        {"event": "mark", "id": "t001", "fraction": 0.25, "file": "mark_25.npy"},
        {"event": "done", "status": "discarded", "why": "discarded"},
    ]
    first.workers.write("t001", "mark_25.npy", "worse")
    first.workers.script["broken"] = [{"event": "failed", "why": "boom"}]
    for name in ("net 1", "worse", "broken"):
        first.launch(net(name), by="test")
        first.settle()
    time.sleep(0.05)
    first.leave_out("x", "y")
    spent = first.state.spent
    quality = first.state.best.quality
    again = opened()
    assert again.clock.before == pytest.approx(spent)
    assert again.clock.elapsed > spent
    assert [r.status for r in again.state.results] == ["done", "discarded", "failed"]
    assert again.state.best.quality == quality
    assert list(again.discarding.marks) == [0.25]
    assert again.state.next_id == "t003"


def test_a_trial_whose_files_are_gone_has_failed(opened):
    desk = opened()
    desk.launch(net(), by="test")
    desk.settle()
    (desk.work / "trials" / "t000" / "selection.npy").unlink()
    again = opened()
    assert [r.status for r in again.state.results] == ["failed"]
    assert "are gone" in again.state.results[0].event["why"]


def test_only_nets_are_judged_and_some_never_discarded(opened):
    desk = opened()
    marks = [{"event": "mark", "id": "", "fraction": 0.25, "file": "m.npy"}]
    bad = np.full((160, 2), 0.5)
    bad[:, 0], bad[:, 1] = 0.9 * (desk.workers.truth == 1), 0.9 * (desk.workers.truth == 0)
    cases = (
        ("good 1", "cocktail"),
        ("good 2", "cocktail"),
        ("bad", "cocktail"),
        ("plain", "plain"),
        ("mine", "single"),
    )
    desk.own = frozenset({"mine"})
    for i, (name, kind) in enumerate(cases):
        desk.workers.write(f"t{i:03d}", "m.npy", name)
        if not name.startswith("good"):
            np.save(desk.work / "trials" / f"t{i:03d}" / "m.npy", np.clip(bad, 0.01, 0.99))
        desk.workers.script[name] = [{**marks[0], "id": f"t{i:03d}"}]
        desk.launch(net(name, kind=kind), by="test")
        desk.settle()
    assert [reply["continue"] for reply in desk.workers.replies] == [True, True, False, True, True]


def test_stopping_ends_trainings_and_what_was_lost_runs_again(opened):
    desk = opened()
    desk.workers.hold = True
    for name in ("kept", "too early"):
        desk.workers.script["too early"] = [{"event": "done", "status": "discarded", "why": "out of time"}]
        desk.launch(net(name), by="test")
    desk.ask_to_stop()
    began = time.monotonic()
    desk.settle()
    assert time.monotonic() - began < 2
    assert len(desk.workers.stopped) == 2
    assert [r.status for r in desk.state.results] == ["done", "interrupted"]
    assert desk.clock.left < 13
    assert [spec.name for spec in opened().state.unfinished] == ["too early"]


def test_what_does_not_stop_is_ended(opened):
    desk = opened()
    desk.workers.hold = True
    desk.workers.stop = lambda lease: None  # a basic model does not look at its deadline
    desk.launch(net(kind="basic", model="Boosting", recipe=None), by="test")
    desk.ask_to_stop()
    desk.settle()
    assert len(desk.workers.killed) == 1
    assert desk.state.results[0].status == "interrupted"


def test_a_net_that_is_late_gets_the_time_to_close_before_its_worker_is_ended(opened, monkeypatch):
    monkeypatch.setattr("temperance.study.desk.OVERTIME", 0.1)
    monkeypatch.setattr("temperance.study.desk.START", 0.2)
    desk = opened()
    desk.workers.hold = True
    desk.workers.stop = lambda lease: None  # it closes for ever
    desk.launch(net(), by="test")
    desk.settings = replace(desk.settings, budget=Budget(seconds=60.0))
    desk.clock.budget = Budget(seconds=desk.clock.elapsed + 5.0)
    desk.clock.reserved = {"closing": 0.3, "report": 5.0}
    began = time.monotonic()
    desk.settle()
    assert 0.4 <= time.monotonic() - began < 3.0  # 0.3 and the overtime
    assert len(desk.workers.killed) == 1
    assert desk.state.results[0].status == "discarded"


def test_a_lost_worker_is_told(opened):
    desk = opened()
    lost = {"event": "lost", "worker": 0, "code": -9, "retried": True}
    desk.workers.script["net 1"] = [lost]
    desk.launch(net(), by="test")
    desk.settle()
    assert [(one.code, one.trial, one.retried) for one in desk.state.lost] == [(-9, "t000", True)]
    assert desk.state.results[0].status == "done"


def test_two_studies_in_one_folder(opened):
    desk = opened()
    with pytest.raises(StudyError, match="one study at a time"):
        Desk(desk.settings)


def test_the_search_has_its_order_and_the_audit_a_small_share(opened):
    desk = opened(budget=Budget(seconds=60.0))
    desk.settings = replace(desk.settings, budget=Budget(runs=1))
    search(desk)
    kinds = [job["job"] if job["job"] != "trial" else job["spec"]["name"] for job in desk.workers.started]
    assert kinds[:4] == ["the same answer for all", "regularized linear model", "pace", "gradient boosting"]
    assert "audit" in kinds
    assert kinds[-1] == "folded run"  # one beside the basic models
    assert kinds.count("folded run") == 1
    assert next(job for job in desk.workers.started if job["job"] == "audit")["seconds"] == QUICK
    assert desk.state.findings == [{"check": "leaks"}]


def test_a_search_without_time_waits_for_nothing(opened):
    desk = opened()
    desk.settings = replace(desk.settings, budget=Budget(seconds=60.0))
    desk.clock.budget = Budget(seconds=desk.clock.elapsed + sum(desk.clock.reserved.values()) + 0.1)
    search(desk)
    assert {"what": "audit", "why": "no time left in the budget"} in desk.state.left_out
    assert not [job for job in desk.workers.started if job["job"] in ("audit", "pace")]


def test_a_resumed_search_fits_its_nets_to_its_own_time(opened):
    first = opened(audit=False)
    first.tell(
        Paced(speed={"step_seconds": 0.01, "fixed_seconds": 0.0}, settings={"epochs": 0.001}, wanted={"epochs": 9})
    )
    search(first)
    assert first.state.pace.settings["epochs"] > 1
    assert not [job for job in first.workers.started if job["job"] == "pace"]


@pytest.mark.slow
def test_a_resumed_search_repeats_nothing(opened):
    first = opened(audit=False)
    search(first)
    assert len(first.state.trials) == 8
    again = opened(budget=Budget(trials=40), audit=False)
    search(again)
    names = [r.spec.name for r in again.state.trials]
    assert len(names) == len(set(names)) == 40
    assert not [job for job in again.workers.started if job["job"] in ("pace", "audit")]
    third = opened(budget=Budget(trials=44), audit=False)
    search(third)
    searched = [s for s in third.state.proposed.values() if s.name.startswith("searched")]
    assert len({s.name.split(" (")[0] for s in searched}) == len(searched)  # numbers go on; no proposal comes twice


def test_progress_shows_errors_in_their_own_unit(opened):
    desk = opened()
    seen = []
    desk.progress = seen.append
    desk.launch(net(), by="test")
    desk.settle()
    desk.prepared = replace(desk.prepared, metric="rmse")
    desk.say("search", message="")
    assert seen[-1]["best"]["quality"] == pytest.approx(np.sqrt(desk.state.best.quality))


def test_roles_are_those_of_the_folder(opened):
    desk = opened()
    kept = load_roles(desk.work / "roles.npz")
    assert np.array_equal(desk.prepared.roles.test, kept.test)
