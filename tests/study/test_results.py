"""Prediction files become losses on the selection rows."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from temperance.study.prepare import reopen
from temperance.study.results import Scorer, candidate, metric_card, natural
from temperance.study.spec import TrialSpec
from temperance.study.state import Result


@pytest.fixture
def scorer(finished, csv_file, make_settings):
    work = finished / "work"
    return Scorer(reopen(make_settings(csv_file, Path("unused")), work), work)


def test_scored_again_gives_the_recorded_measurements(scorer, finished):
    lines = [json.loads(line) for line in (finished / "ledger.jsonl").read_text().splitlines()]
    trials = [line for line in lines if line["event"] == "trial" and line["result"]["status"] == "done"]
    for line in trials:
        result = Result(TrialSpec.from_dict(line["spec"]), line["result"])
        scorer.score(result)
        assert result.quality == line["quality"]
        assert len(result.losses) == len(scorer.rows) == 128


def test_marks_know_only_what_was_predicted(scorer, finished):
    trial = next((finished / "work" / "trials").iterdir())
    answer = np.load(trial / "selection.npy")
    answer[scorer.rows[:10]] = np.nan
    np.save(trial / "part.npy", answer)
    assert np.isnan(scorer.mark(trial.name, "part.npy")).sum() == 10


def test_limits_and_unmeasured_robustness(scorer):
    event = {"status": "done", "cost": {"latency_1_ms": 2.0, "bytes": 100}, "robustness": None}
    result = Result(TrialSpec("t", "t", "plain", "Tabular"), event, losses=np.ones(3))
    assert not candidate(result, max_latency_ms=1.0, max_bytes=None).allowed
    free = candidate(result, max_latency_ms=None, max_bytes=200)
    assert free.allowed
    assert np.isnan(free.robustness)


def test_what_cannot_be_exported_cannot_win():
    event = {"status": "done", "cost": {"latency_1_ms": 2.0, "bytes": 100}, "cannot_export": "no rule"}
    result = Result(TrialSpec("t", "t", "basic", "Outside"), event, losses=np.ones(3))
    assert not candidate(result, max_latency_ms=None, max_bytes=None).allowed


def test_losses_are_weighted_where_rows_are(scorer):
    answer = np.full((len(scorer.rows), 2), 0.5)
    answer[:5] = [0.9, 0.1]
    plain = scorer.losses(answer, scorer.rows)
    weight = np.ones(len(scorer.prepared.table))
    weight[scorer.rows[:5]] = 3.0
    table = replace(scorer.prepared.table, weight=weight)
    heavy = Scorer(replace(scorer.prepared, table=table), scorer.work).losses(answer, scorer.rows)
    assert heavy.mean() == pytest.approx(np.average(plain, weights=weight[scorer.rows]))


def test_metric_card_says_the_direction():
    assert metric_card("log_loss")["better"] == "lower"
    assert metric_card("accuracy")["better"] == "higher"


def test_no_latency_is_not_the_same_as_none_measured():
    free = Result(
        TrialSpec("t", "t", "plain", "Tabular"), {"cost": {"latency_1_ms": 0.0, "bytes": 0}}, losses=np.ones(1)
    )
    assert (candidate(free, max_latency_ms=1.0, max_bytes=1.0).latency_1_ms) == 0.0
    unknown = Result(free.spec, {"cost": {}}, losses=np.ones(1))
    assert not candidate(unknown, max_latency_ms=1.0, max_bytes=None).allowed


def test_losses_are_shown_in_the_units_of_the_metric():
    assert natural(4.0, "rmse") == 2.0
    assert natural(0.1, "accuracy") == 0.9
    assert natural(0.3, "log_loss") == 0.3
