"""The search tries every kind of trial, keeps to its budget of trials, and says what it left out."""

import json
from types import SimpleNamespace

import pytest

from temperance.study.hunt import Hunt
from temperance.study.results import Result
from temperance.study.spec import TrialSpec


class Fake:
    """A study with results and nothing else."""

    def __init__(self, results):
        self.results = results


def of_size(rows, shape, seconds=20.0):
    """A study of ``rows`` training rows, tables where there is no shape."""
    schema = SimpleNamespace(image_shape=shape, target=SimpleNamespace(outputs=10))
    prepared = SimpleNamespace(table=SimpleNamespace(schema=schema), roles=SimpleNamespace(train=range(rows)))
    return SimpleNamespace(prepared=prepared, clock=SimpleNamespace(for_search=seconds), left_out=[])


def net(status, why=""):
    return Result(TrialSpec("t", "t", "plain", "Tabular"), {"status": status, "why": why})


def test_three_failures_for_one_reason_end_the_search():
    assert Hunt(Fake([net("failed", "boom")] * 3))._hopeless()
    assert not Hunt(Fake([net("failed", "boom")] * 2))._hopeless()
    assert not Hunt(Fake([net("failed", "a"), net("failed", "b"), net("failed", "c")]))._hopeless()
    assert not Hunt(Fake([net("done"), net("failed", "boom"), net("failed", "boom")]))._hopeless()


@pytest.mark.parametrize(
    ("model", "shape", "capped"),
    [("Boosting", None, True), ("Linear", (32, 32, 3), True), ("Linear", None, False), ("Majority", (9, 9, 1), False)],
)
def test_basic_models_get_the_rows_that_fit_the_budget(model, shape, capped):
    study = of_size(60_000, shape)
    spec = Hunt(study)._capped(TrialSpec("", "x", "basic", model))
    assert (spec.most_rows is not None) == capped == bool(study.left_out)
    assert not capped or study.left_out[0]["what"] == f"{model.lower()} on all rows"
    small = of_size(1_000, shape)
    assert Hunt(small)._capped(spec.changed(most_rows=None)).most_rows is None
    assert not small.left_out


def test_a_budget_of_trials_is_kept(finished):
    lines = [json.loads(line) for line in (finished / "ledger.jsonl").read_text().splitlines()]
    assert sum(line["event"] == "trial" for line in lines) == 6
    assert sum(line["event"] == "pace" for line in lines) == 1
    assert next(line for line in lines if line["event"] == "choice")["winner"]
