"""``study.json`` keeps its documented shape, and the leaderboard is safe to open."""

import csv
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest

from temperance.records.finding import Finding
from temperance.records.measurement import Measurement
from temperance.study.document import SCHEMA, _bought, _cell, _difference, leaderboard, own_net, own_recipes
from temperance.study.events import LeftOut, Tried
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, State, ranked

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
    told = {"trial", "why", "comparison", "test", "bought", "robustness", "slices", "reliability", "cost", "insight"}
    assert told <= study["winner"].keys()
    assert study["winner"]["insight"]["mistakes"]
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


def test_formulas_are_quoted():
    assert _cell("=1+1") == "'=1+1"
    assert _cell("plain") == "plain"


def failed(name, why, model="user"):
    spec = TrialSpec(name.replace(" ", "_"), name, "plain", model)
    return Tried(spec=spec.to_dict(), result={"status": "failed", "why": why})


def test_every_reason_of_the_users_net_is_said_whole():
    why = "SAM got closures. one pass. Drop SAM."
    state = State.fold([failed("a", why), failed("b", why), failed("c", "boom"), failed("d", "other", "Tabular")])
    said = own_net(state, only=False)
    assert said[0] == f"2 of 3 trials of your net failed (a, b): {why}"
    assert said[1] == "1 of 3 trials of your net failed (c): boom"
    assert "--only-task" in said[2]
    assert len(own_net(state, only=True)) == 2
    assert own_net(State(), only=False) == []


def test_a_start_that_was_not_tried_or_failed_is_said():
    """Before, a recipe given with --start that found no time was missing without a word on the terminal."""
    left = LeftOut(what="recipe of b.toml", why="no time left in the budget")
    state = State.fold([failed("recipe of a.toml", "boom", "Tabular"), left])
    assert own_recipes(state, ["recipe of a.toml", "recipe of b.toml", "recipe of c.toml"]) == [
        "Start of yours: recipe of a.toml failed: boom",
        "Start of yours: recipe of b.toml was not tried: no time left in the budget.",
        "Start of yours: recipe of c.toml was not tried: the study had no place for it.",
    ]
    assert own_recipes(state, []) == []


def test_a_loss_of_zero_is_the_best_of_all(finished):
    state = State()
    for name, loss in (("poor", 0.5), ("perfect", 0.0)):
        state.results.append(Result(TrialSpec(name, name, "plain", "Tabular"), {}, losses=np.full(3, loss)))
    assert state.best.spec.name == "perfect"
    assert [r.spec.name for r in ranked(state.results)] == ["perfect", "poor"]
    first = next(csv.DictReader(io.StringIO(leaderboard(state, "perfect"))))
    assert first["trial"] == "perfect"


def test_a_change_of_rmse_is_a_change_of_rmse():
    errors = np.linspace(0.5, 1.5, 200)
    best, plain = (
        Result(TrialSpec(n, n, k, "Tabular"), {}, losses=(f * errors) ** 2)
        for n, k, f in (("b", "single", 10.0), ("p", "plain", 20.0))
    )
    desk = SimpleNamespace(prepared=SimpleNamespace(metric="rmse"))
    row = _difference(desk, best, plain, None)
    root = float(np.sqrt((errors**2).mean()))
    assert row["difference"]["value"] == pytest.approx(-10 * root)
    assert f"{10 * root:.4g} against {20 * root:.4g}" in row["sentence"]


def test_what_regularization_bought_is_told_of_the_best_run_that_can_tell():
    def folded(name, quality, *ingredients):
        words = {"n": 9, "value": -0.1}
        rows = [
            {"ingredient": i, "metric": "log_loss", "difference": words, "p": 0.1, "verdict": "better"}
            for i in ingredients
        ]
        return SimpleNamespace(quality=quality, event={"attribution": rows}, spec=SimpleNamespace(id=name, name=name))

    whole = "the recipe's strengths"
    best, second, third = folded("a", 0.1, "stopping"), folded("b", 0.2, "stopping", whole), folded("c", 0.3, whole)
    desk = SimpleNamespace(state=SimpleNamespace(done=[third, second, best]))
    told = [(row["trial"], row["ingredient"]) for row in _bought(desk, SimpleNamespace())]
    assert told == [("a", "stopping"), ("b", whole)]
    desk.state.done = [second, third]
    assert [row["trial"] for row in _bought(desk, SimpleNamespace())] == ["b", "b"]
