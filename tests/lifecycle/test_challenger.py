"""Training a recipe again, part by part."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from temperance.lifecycle.challenger import Challenger, one_thread, timer
from temperance.lifecycle.champion import Champion, check_trainable
from temperance.lifecycle.schedule import Schedule
from temperance.records.decision import Costs, Decision
from temperance.records.errors import StudyError
from temperance.study.runner import Runner


@pytest.fixture
def runner(pair: Path, tmp_path: Path) -> Runner:
    work = pair.parent
    for name in ("table", "roles.npz"):
        (tmp_path / name).symlink_to(work / name)
    return Runner(tmp_path)


def test_a_users_net_needs_its_code(champion: Champion) -> None:
    own = replace(champion, members=tuple((w, s.changed(model="user")) for w, s in champion.members))
    with pytest.raises(StudyError, match="module:function"):
        check_trainable(own, "")
    assert check_trainable(own, "nets:task") is None
    assert check_trainable(champion, "") is None


def test_one_thread_puts_the_setting_back() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_timer_counts_down_and_may_have_no_clock() -> None:
    assert timer(None, time.monotonic())() == math.inf
    assert 9 < timer(10.0, time.monotonic())() <= 10


def test_short_of_time_it_follows_the_champions_course_with_fewer_epochs(
    champion: Champion, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    made = Challenger(champion, runner, 3, lambda: math.inf, said.append)
    monkeypatch.setattr("temperance.lifecycle.challenger.schedule", lambda *_, **__: Schedule("course", 0.5, 1.0, 1.0))
    made.train(elapsed=0.0)
    assert [spec.seed for spec in made.specs] == [3, 3]
    assert made.specs[1].settings["epochs"] == 2.0
    assert made.chosen["t001"] == champion.chosen("t001")
    assert len(made.notes) == 2
    assert sorted(p.name for p in (runner.folder / "refit").iterdir()) == ["t001.pickle", "t002.safetensors"]
    assert any(words.startswith("Refitting") for words in said)


def test_out_of_fold_predictions_are_weighted(champion: Champion, runner: Runner) -> None:
    made = Challenger(champion, runner, 0, lambda: math.inf, lambda words: None)
    made.train(elapsed=0.0)
    name = made._out_of_fold([0.25, 0.75])
    first, second = (np.load(runner.folder / "trials" / t / "selection.npy") for t in ("t001", "t002"))
    known = np.isfinite(first).all(axis=1)
    assert np.allclose(np.load(runner.folder / name)[known], (0.25 * first + 0.75 * second)[known])
    assert known.sum() == len(runner.roles.train)


def test_the_recipe_that_is_kept_can_be_trained_again(
    champion: Champion, runner: Runner, made: SimpleNamespace
) -> None:
    run = Challenger(champion, runner, 0, lambda: math.inf, lambda words: None)
    run.train(elapsed=0.0)
    recipe = run._recipe([0.5, 0.5])
    assert recipe["chosen"]["t001"]["grid"]
    assert recipe["members"][0]["settings"] == made.LINEAR.settings
    assert recipe["members"][1]["settings"] == made.NET.settings
    assert len(recipe["traces"]) >= 1


def test_costs_go_on_with_the_next_model(champion: Champion, runner: Runner) -> None:
    def costs() -> list[list[object]]:
        return Challenger(champion, runner, 0, lambda: math.inf, lambda words: None)._costs()

    assert costs() == []
    dear = Decision(Costs.of([("no", "yes", 7)], ("no", "yes")), threshold=0.9)
    champion.bundle.__dict__.pop("decision", None)
    champion.bundle.card["decision"] = dear.to_dict()
    assert costs() == [["no", "yes", 7.0], ["yes", "no", 1.0]]
