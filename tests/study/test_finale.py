"""The winner is refitted and tested first; what it is compared with comes after, where there is time."""

import json
import time

import pytest

from temperance.records.errors import StudyError
from temperance.study.choose import Choice
from temperance.study.clock import Budget
from temperance.study.finale import Finale, conclude, fits
from temperance.study.spec import TrialSpec


@pytest.mark.slow
def test_comparisons_are_tested_on_the_same_rows(finished):
    winner = json.loads((finished / "study.json").read_text())["winner"]
    n = winner["test"]["accuracy"]["n"]
    for name in ("simple_test", "boosting_test"):
        assert winner[name]["measurements"]["accuracy"]["n"] == n
    assert winner["simple_test"]["name"] == "the same answer for all"
    paired = winner["simple_test"]["winner_against_it"]["accuracy"]["difference"]
    gap = winner["test"]["accuracy"]["value"] - winner["simple_test"]["measurements"]["accuracy"]["value"]
    assert paired["value"] == pytest.approx(gap)
    assert paired["n"] == n
    assert winner["refit"]
    assert all(part["rows"] == 128 for part in winner["refit"].values())


def test_a_model_is_refitted_once(finished):
    lines = [json.loads(line) for line in (finished / "ledger.jsonl").read_text().splitlines()]
    refits = [line["id"] for line in lines if line["event"] == "refit"]
    assert len(refits) == len(set(refits))
    assert [line["name"] for line in lines if line["event"] == "finish"].count("winner") == 1


def tried(desk, *names, kind="cocktail", **said):
    """Run trials whose events say more; nets that the fake workers make alike but for their noise."""
    for name in names:
        model = "Linear" if kind == "basic" else "Tabular"
        spec = TrialSpec("", name, kind, model, None if kind == "basic" else {"regularizers": []}, {"epochs": 1.0})
        desk.launch(spec, by="test")
        desk.settle()
        desk.state.results[-1].event.update(said)


def jobs(desk, kind):
    return [job["spec"]["name"] if "spec" in job else job["name"] for job in desk.workers.started if job["job"] == kind]


@pytest.mark.parametrize("broken", ["refit", "finish"])
def test_a_winner_that_cannot_be_finished_makes_way(opened, monkeypatch, broken):
    monkeypatch.setattr("temperance.study.finale.mix", lambda desk: None)
    desk = opened(bundle=False)
    tried(desk, "net 1", "net 2")
    best = desk.state.best.spec
    fault = {"event": "failed", "why": "grad can be implicitly created only for scalar outputs"}
    if broken == "refit":
        desk.workers.script[best.name] = [fault]
    else:
        seen = []
        end = desk.workers.end

        def ending(lease):
            if lease.kind == "finish" and lease.job["members"][0]["id"] == best.id and not seen:
                seen.append(lease)
                desk.workers.script["finish"] = [fault]
            answers = end(lease)
            desk.workers.script.pop("finish", None)
            return answers

        monkeypatch.setattr(desk.workers, "end", ending)
    outcome = conclude(desk)
    assert outcome.choice.winner != best.id
    assert {"what": f"{best.name} as the winner"}.items() <= desk.state.left_out[0].items()
    assert "implicitly created" in desk.state.left_out[0]["why"]


def test_weights_that_a_trial_ships_are_not_trained_again(opened):
    desk = opened(bundle=False)
    tried(desk, "net 1", shipped=True)
    outcome = conclude(desk)
    assert jobs(desk, "refit") == []
    assert outcome.finished["refit"]["t000"]["rows"] > 0


def test_a_net_that_ships_as_it_is_may_win_however_late(opened):
    desk = opened(bundle=False)
    tried(desk, "net 1", shipped=True)
    tried(desk, "net 2")
    desk.clock.budget = Budget(seconds=desk.clock.elapsed + 0.01)
    assert conclude(desk).choice.winner == "t000"
    assert [row["what"] for row in desk.state.left_out][:1] == ["net 2 as the winner"]


def test_kept_weights_ship_only_where_there_is_no_time(opened):
    desk = opened(bundle=False)
    tried(desk, "net 1", weights="weights.safetensors")
    conclude(desk)
    assert jobs(desk, "refit") == ["net 1"]
    hurried = opened(bundle=False)
    hurried.ask_to_stop()
    hurried.settle()
    hurried.state.refits.clear()
    hurried.state.results[0].event["weights"] = "weights.safetensors"
    conclude(hurried)
    assert jobs(hurried, "refit") == []


def test_a_basic_model_that_only_compares_is_tested_as_it_was_trained(opened):
    desk = opened(bundle=False)
    tried(desk, "plain one", kind="plain", shipped=True)
    desk.launch(TrialSpec("", "trees", "basic", "Boosting"), by="test")
    desk.settle()
    desk.state.results[-1].event.update(weights="model.pickle")
    finale = Finale(desk, Choice("t000", "", ()))
    assert finale.refits == []
    assert set(finale.done) == {"t000", "t001"}
    assert Finale(desk, Choice("t001", "", ())).refits == ["t001"]


def test_a_stopped_study_tests_its_winner_alone(opened):
    desk = opened(bundle=False)
    tried(desk, "simple", kind="basic")
    tried(desk, "plain one", kind="plain")
    desk.ask_to_stop()
    desk.settle()
    began = time.monotonic()
    outcome = conclude(desk)
    assert time.monotonic() - began < 5
    assert set(outcome.finished) - {"plain", "refit"} == {"winner"}
    assert len(jobs(desk, "finish")) == 1


def test_only_the_users_net_may_win(opened):
    desk = opened(bundle=False, only=True, task="mynet:task")
    tried(desk, "perfect", kind="basic")
    assert desk.state.done
    desk.workers.script["mine"] = [{"event": "failed", "why": "SAM got closures. One pass. Drop SAM."}]
    tried(desk, "mine")
    with pytest.raises(StudyError, match=r"no trial of your net finished \(mine: SAM got closures. One pass. Drop SAM"):
        conclude(desk)
    tried(desk, "mine again")
    assert desk.state.result(conclude(desk).choice.winner).spec.name == "mine again"


def test_the_seconds_of_fits_that_entered_the_choice_are_noted(opened):
    desk = opened(bundle=False)
    tried(desk, "net 1", "net 2")
    desk.workers.script["net 3"] = [{"event": "failed", "why": "boom"}]
    tried(desk, "net 3")
    conclude(desk)
    entered = sum(r.wall for r in desk.state.done if r.spec.kind != "ensemble")
    assert desk.state.choice.fit_seconds == pytest.approx(entered, abs=0.01)


def test_a_refit_of_an_earlier_session_is_used_again(opened):
    desk = opened(bundle=False)
    tried(desk, "net 1")
    conclude(desk)
    (desk.work / "refit").mkdir()
    (desk.work / "refit" / "t000.safetensors").touch()
    again = opened(bundle=False)
    conclude(again)
    assert jobs(again, "refit") == []


def test_what_only_compares_is_ended_with_the_budget(opened):
    desk = opened(bundle=False)
    tried(desk, "net 1")
    desk.clock.budget = Budget(seconds=desk.clock.elapsed + 0.05)
    finale = Finale(desk, Choice("t000", "", ()))
    finale.finished["winner"] = {}
    desk.workers.start("finish", name="plain")
    time.sleep(0.06)
    assert finale._late() == 1
    assert desk.state.left_out == [{"what": "test of plain", "why": "no time left in the budget"}]


def exporting(desk, **events):
    """Have the winner's test and its export answer what is given by kind of job."""
    fine = {"finish": {"event": "done", "evaluation_seconds": 0.1, "evaluation": {}},
            "export": {"event": "done", "export_seconds": 0.2, "bundle": "b", "served": {"bytes": 1}}}  # fmt: skip
    desk.workers.script.update({kind: [events.get(kind, event)] for kind, event in fine.items()})


def test_the_winner_is_tested_and_exported_side_by_side(opened):
    desk = opened()
    tried(desk, "net 1", shipped=True)
    exporting(desk)
    outcome = conclude(desk)
    started = [job for job in desk.workers.started if job["job"] in ("finish", "export")]
    assert [job["job"] for job in started[:2]] == ["finish", "export"]
    assert "bundle" not in started[0]
    assert started[1]["bundle"].endswith("bundle")
    winner = outcome.finished["winner"]
    assert (winner["evaluation"], winner["served"], winner["export_seconds"]) == ({}, {"bytes": 1}, 0.2)
    assert "export" not in outcome.finished
    assert desk.state.tests["winner"].export_seconds == 0.2
    alone = opened(count=1)
    exporting(alone)
    conclude(alone)
    kinds = [job["job"] for job in alone.workers.started]
    assert kinds == ["refit", "finish"]  # one worker does both in one go
    assert alone.workers.started[1]["bundle"].endswith("bundle")


def test_an_export_that_fails_makes_the_winner_give_way_and_leaves_no_job_of_its_own(opened, monkeypatch):
    monkeypatch.setattr("temperance.study.finale.mix", lambda desk: None)
    desk = opened()
    tried(desk, "net 1", "net 2", shipped=True)
    best = desk.state.best.spec.id
    exporting(desk)
    end = desk.workers.end

    def ending(lease):
        broken = lease.kind == "export" and lease.job["members"][0]["id"] == best
        exporting(desk, **({"export": {"event": "failed", "why": "no such operator"}} if broken else {}))
        return end(lease)

    monkeypatch.setattr(desk.workers, "end", ending)
    outcome = conclude(desk)
    assert outcome.choice.winner != best
    assert "no such operator" in desk.state.left_out[0]["why"]
    assert outcome.finished["winner"]["served"] == {"bytes": 1}
    assert not desk.workers.running


def test_time_for_nets_to_close_and_refits_that_are_done_keep_no_mixture_from_a_study(opened):
    desk = opened(bundle=False)
    tried(desk, "line", kind="basic")
    (line,) = [r for r in desk.state.done if r.spec.kind == "basic"]
    line.event["cost"] = {**line.event["cost"], "seconds": 1000.0}
    left, desk.clock.reserved = 10.0, {"closing": 50.0, "refit": 50.0, "evaluation": 2.0, "export": 1.0, "report": 1.0}
    desk.clock.end = time.monotonic() + left
    assert not fits(desk, [line])  # its refit takes minutes
    desk.state.refits[line.spec.id] = object()
    assert fits(desk, [line])  # it is done
    desk.clock.reserved["evaluation"] = 9.0
    assert not fits(desk, [line])
