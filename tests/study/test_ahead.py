"""Refits that follow whatever wins are done before the last net that no longer fits whole."""

from temperance.study import ahead
from temperance.study.clock import Budget
from temperance.study.finale import conclude
from temperance.study.spec import TrialSpec


def tried(desk, name, model, kind="basic"):
    recipe = None if kind == "basic" else {"regularizers": []}
    desk.launch(TrialSpec("", name, kind, model, recipe, {"epochs": 1.0} if recipe else {}), by="test")
    desk.settle()


def refits(desk):
    return [job["spec"]["name"] for job in desk.workers.started if job["job"] == "refit"]


MINUTE = Budget(seconds=60.0)


def ready(opened, budget=MINUTE):
    desk = opened(bundle=False)
    for name, model in (("simple", "Majority"), ("line", "Linear"), ("trees", "Boosting")):
        tried(desk, name, model)
    tried(desk, "net", "Tabular", "cocktail")
    desk.settings = type(desk.settings)(**{**vars(desk.settings), "budget": budget})
    return desk


def test_what_is_compared_and_what_is_among_the_best_is_refitted_once(opened):
    desk = ready(opened)
    assert {r.spec.name for r in ahead.wanted(desk, late=False)} == {"simple", "trees"}
    assert {r.spec.name for r in ahead.wanted(desk)} == {"simple", "line", "trees"}  # a net is left to the finale
    while ahead.start(desk):
        desk.handle(0.0)
        ahead.gather(desk)
    assert sorted(refits(desk)) == ["line", "simple", "trees"]
    assert {desk.state.result(trial).spec.name for trial in desk.state.refits} == {"line", "simple", "trees"}
    assert ahead.wanted(desk) == []
    (desk.work / "refit").mkdir()
    for trial in desk.state.refits:
        (desk.work / "refit" / f"{trial}.pickle").touch()
    conclude(desk)
    assert len(refits(desk)) <= 4  # the finale refits none of them again; perhaps the net


def test_a_refit_that_is_running_is_not_started_twice(opened):
    desk = ready(opened)
    assert ahead.start(desk)
    assert ahead.start(desk)
    assert len(set(refits(desk))) == 2


def test_without_a_clock_or_without_time_nothing_is_done_ahead(opened):
    desk = ready(opened, Budget(trials=9))
    assert not ahead.start(desk)
    short = ready(opened)
    short.clock.budget = Budget(seconds=short.clock.elapsed + 0.1)
    assert not ahead.start(short)


def test_a_refit_that_fails_is_left_to_the_end_of_the_study(opened):
    desk = ready(opened)
    desk.workers.script["trees"] = [{"event": "failed", "why": "boom"}]
    while ahead.start(desk):
        desk.handle(0.0)
        ahead.gather(desk)
    assert "trees" not in {r.spec.name for r in ahead.wanted(desk)}
    assert not desk.state.left_out
    desk.workers.script.clear()
    conclude(desk)
    assert refits(desk).count("trees") <= 2
