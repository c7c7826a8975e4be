"""The search tries every kind of trial, keeps to its budget of trials, and says what it left out."""

import json

from temperance.study.hunt import Hunt
from temperance.study.results import Result
from temperance.study.spec import TrialSpec


class Fake:
    """A study with results and nothing else."""

    def __init__(self, results):
        self.results = results


def net(status, why=""):
    return Result(TrialSpec("t", "t", "plain", "Tabular"), {"status": status, "why": why})


def test_three_failures_for_one_reason_end_the_search():
    assert Hunt(Fake([net("failed", "boom")] * 3))._hopeless()
    assert not Hunt(Fake([net("failed", "boom")] * 2))._hopeless()
    assert not Hunt(Fake([net("failed", "a"), net("failed", "b"), net("failed", "c")]))._hopeless()
    assert not Hunt(Fake([net("done"), net("failed", "boom"), net("failed", "boom")]))._hopeless()


def test_a_budget_of_trials_is_kept(finished):
    lines = [json.loads(line) for line in (finished / "ledger.jsonl").read_text().splitlines()]
    assert sum(line["event"] == "trial" for line in lines) == 6
    assert sum(line["event"] == "pace" for line in lines) == 1
    assert next(line for line in lines if line["event"] == "choice")["winner"]
