"""``study.json`` keeps its documented shape, and the leaderboard is safe to open."""

import csv
import json

from temperance.records.finding import Finding
from temperance.records.measurement import Measurement
from temperance.study.record import SCHEMA, _cell, _natural, _thin

TOP = {
    "schema", "temperance", "versions", "created", "command", "seed", "device", "machine", "status", "data", "roles",
    "metric", "budget", "trials", "frontier", "winner", "findings", "bundle", "ledger", "limits", "citations",
}  # fmt: skip
TRIAL = {
    "id", "name", "kind", "model", "recipe", "recipe_text", "explanation", "adaptive", "seed", "executor", "status",
    "why", "epochs", "cost", "selection", "robustness", "acted", "trace", "history",
}  # fmt: skip


def test_the_documented_keys_are_there(finished):
    study = json.loads((finished / "study.json").read_text())
    assert study["schema"] == SCHEMA
    assert study.keys() >= TOP
    assert all(trial.keys() >= TRIAL for trial in study["trials"])
    assert {"trial", "why", "comparison", "test", "bought", "robustness", "slices", "reliability", "cost"} <= study[
        "winner"
    ].keys()
    assert set(study["budget"]["spent"]) >= {"read", "search", "refit", "total"}
    assert Finding.from_dict(study["findings"][0]).title
    assert Measurement.from_dict(study["winner"]["test"]["log_loss"]).n == 32


def test_the_leaderboard_holds_every_trial_best_first(finished):
    rows = list(csv.DictReader((finished / "leaderboard.csv").open()))
    study = json.loads((finished / "study.json").read_text())
    assert {r["trial"] for r in rows} == {t["id"] for t in study["trials"]}
    losses = [float(r["log_loss"]) for r in rows if r["log_loss"]]
    assert losses == sorted(losses)
    assert [r["trial"] for r in rows if r["winner"] == "True"] == [study["winner"]["trial"]]


def test_formulas_are_quoted_and_losses_shown_in_natural_units():
    assert _cell("=1+1") == "'=1+1"
    assert _cell("plain") == "plain"
    assert _natural(4.0, "rmse") == 2.0
    assert _natural(0.1, "accuracy") == 0.9
    assert _natural(0.3, "log_loss") == 0.3


def test_long_traces_are_thinned_at_both_ends_kept():
    trace = [{"step": i} for i in range(5000)]
    thin = _thin(trace)
    assert len(thin) <= 400
    assert (thin[0], thin[-1]) == (trace[0], trace[-1])
