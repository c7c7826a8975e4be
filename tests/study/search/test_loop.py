"""The search tries every kind of trial in its order, keeps to its budget, and says what it left out."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from temperance.study.plan import Speed
from temperance.study.search.loop import SearchLoop
from temperance.study.search.portfolio import plain_early
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, State


def desk_of(results=(), rows=100, shape=None, seconds=20.0):
    """A desk with results and a clock that stands still."""
    schema = SimpleNamespace(image_shape=shape, kind="table", target=SimpleNamespace(outputs=10, task="binary"))
    roles = SimpleNamespace(train=range(rows), folds=(), refit=range(rows))
    left_out = []
    return SimpleNamespace(
        state=State(results=list(results)), left_out=left_out,
        clock=SimpleNamespace(for_search=seconds, for_trials=seconds),
        prepared=SimpleNamespace(table=SimpleNamespace(schema=schema), roles=roles),
        settings=SimpleNamespace(user_task="", seed=0), leave_out=lambda what, why: left_out.append(what),
    )  # fmt: skip


def net(status, why="", **event):
    return Result(TrialSpec("t", "t", "plain", "Tabular"), {"status": status, "why": why, **event})


def test_three_failures_for_one_reason_end_the_search():
    def hopeless(*results):
        return SearchLoop(desk_of(results))._hopeless()

    assert hopeless(*[net("failed", "boom")] * 3)
    assert not hopeless(*[net("failed", "boom")] * 2)
    assert not hopeless(net("failed", "a"), net("failed", "b"), net("failed", "c"))
    assert not hopeless(net("done"), net("failed", "boom"), net("failed", "boom"))


@pytest.mark.parametrize(
    ("model", "shape", "capped"),
    [("Boosting", None, True), ("Linear", (32, 32, 3), True), ("Linear", None, False), ("Majority", (9, 9, 1), False)],
)
def test_basic_models_get_the_rows_that_fit_the_budget(model, shape, capped):
    desk = desk_of(rows=60_000, shape=shape)
    spec = SearchLoop(desk)._capped(TrialSpec("", "x", "basic", model))
    assert (spec.most_rows is not None) == capped == bool(desk.left_out)
    assert not capped or desk.left_out == [f"{model.lower()} on all rows"]
    small = desk_of(rows=1_000, shape=shape)
    assert SearchLoop(small)._capped(spec.changed(most_rows=None)).most_rows is None
    assert not small.left_out


def test_the_plain_net_is_among_the_first_two():
    kinds = ["cocktail", "cocktail", "plain", "single"]
    nets = [TrialSpec("", str(i), kind, "Tabular") for i, kind in enumerate(kinds)]
    assert [one.name for one in plain_early(nets)] == ["0", "2", "1", "3"]
    assert plain_early(nets[:1]) == nets[:1]


def at(loop, seconds, closing=0.0):
    loop.desk.clock.for_search, loop.desk.clock.for_trials = seconds, seconds + closing


def test_a_net_that_does_not_fit_whole_gets_its_time_to_close_too():
    loop = SearchLoop(desk_of(rows=1001))
    loop.speed = Speed(0.1, 0.0)
    spec = TrialSpec("", "x", "plain", "Tabular", {"regularizers": []}, {"epochs": 10.0, "batch_size": 100})
    at(loop, 9.0, closing=3.0)
    assert loop._fitted(spec, least=0.25) == spec  # 11.5 s with its closing
    at(loop, 4.0, closing=3.0)
    assert loop._fitted(spec, least=0.25).settings["epochs"] == pytest.approx(10 * 4.0 / 8.5, abs=1e-3)


def test_boosting_starts_though_it_is_expected_to_take_longer_than_there_is():
    loop = SearchLoop(desk_of(rows=1001))
    loop._expected = lambda spec: 500.0
    boosting = TrialSpec("", "x", "basic", "Boosting")
    at(loop, 8.0)
    assert loop._fitted(boosting, least=0.25) == boosting
    assert loop._fitted(boosting.changed(model="ExtraTrees"), least=0.25) is None
    at(loop, 1.0)
    assert loop._fitted(boosting, least=0.25) is None


def test_the_last_seconds_are_filled_with_shorter_trainings():
    loop = SearchLoop(desk_of(rows=1001, seconds=5.0))
    loop.speed = Speed(0.1, 0.0)
    spec = TrialSpec("", "x", "plain", "Tabular", {"regularizers": []}, {"epochs": 10.0, "batch_size": 100})
    fitted = loop._fitted(spec, least=0.25)  # 10 epochs of 10 steps take 10 s
    assert 3.0 < fitted.settings["epochs"] < 5.0
    at(loop, 100.0)
    assert loop._fitted(spec, least=0.25) == spec
    at(loop, 2.0)
    assert loop._fitted(spec, least=0.25) is None
    assert loop._fitted(spec, least=0.1).settings["epochs"] < 2.0
    at(loop, 5.0)
    assert loop._fitted(spec.changed(id="t003"), least=0.25) is None  # one of an earlier session stays what it was


def test_what_trials_really_took_corrects_the_plan():
    spec = TrialSpec("a", "x", "plain", "Tabular", {"regularizers": []}, {"epochs": 10.0, "batch_size": 100})
    slow = Result(spec, {"status": "done", "wall": 20.0}, losses=np.ones(3))
    loop = SearchLoop(desk_of([slow], rows=1001))
    loop.speed = Speed(0.1, 0.0)
    assert loop._expected(spec) == pytest.approx(20.0)


def test_a_budget_of_trials_is_kept(finished):
    lines = [json.loads(line) for line in (finished / "ledger.jsonl").read_text().splitlines()]
    assert sum(line["event"] == "trial" for line in lines) == 6
    assert sum(line["event"] == "pace" for line in lines) == 1
    assert next(line for line in lines if line["event"] == "choice")["winner"]
