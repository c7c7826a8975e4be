"""What a user's Task asks for is heard: epochs, batch size, recipe."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from temperance import FeatureNoise, MixUp, Recipe, Task
from temperance.records.errors import StudyError
from temperance.study import jobs, own
from temperance.study.runner import Runner
from temperance.study.search.loop import UNFIT
from temperance.study.spec import TrialSpec

NET = """
import torch
from temperance import Dropout, Recipe, Task


class Net(torch.nn.Module):
    def __init__(self, n, out):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(n, 8), torch.nn.ReLU(), torch.nn.Linear(8, out))

    def forward(self, numeric, categorical):
        return self.layers(numeric)


def task(info):
    return Task(
        model=Net(len(info.numeric), info.outputs), loss=torch.nn.CrossEntropyLoss(), epochs=3, batch_size=16,
        recipe=Recipe(Dropout(0.3)),
    )
"""
SPEC = TrialSpec("pace", "pace", "plain", "user", {"regularizers": []}, {"epochs": 40.0, "batch_size": 64, "lr": 0.01})


@pytest.fixture
def mine(runner, tmp_path, monkeypatch):
    (tmp_path / "own_wishes.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    return Runner(runner.folder, task="own_wishes:task")


def test_the_task_is_asked_and_its_batch_is_what_is_timed(mine, monkeypatch):
    seen = {}
    monkeypatch.setattr(own.finish, "pace", lambda runner, job, say: seen.update(job["spec"]["settings"]) or {"a": 1})
    event = own.pace(mine, {"spec": SPEC.to_dict()}, None)
    assert event["own"]["recipe"]["regularizers"][0]["p"] == 0.3
    assert (event["own"]["epochs"], event["own"]["batch_size"], event["a"]) == (3, 16, 1)
    assert (seen["epochs"], seen["batch_size"]) == (3, 16)


def test_techniques_that_cannot_act_on_the_net_are_named(mine, monkeypatch):
    assert own.refused(mine, SPEC) == {}
    text = NET.replace("torch.nn.ReLU(), ", "")
    space = {}
    exec(text, space)
    mine.make = space["task"]
    found = own.refused(mine, SPEC)
    assert set(found) == {"Dropout"}
    assert "needs a place to act" in found["Dropout"]
    monkeypatch.setattr(own.finish, "pace", lambda *_: {})
    assert own.pace(mine, {"spec": SPEC.to_dict()}, None)["own"]["refused"] == found


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")
@pytest.mark.parametrize("one", [MixUp(0.2), FeatureNoise(0.1)], ids=lambda one: type(one).__name__)
def test_noise_and_blends_act_on_word_vectors_and_are_refused_where_there_are_none(one):
    class Counted(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(9, 2)

        def forward(self, words):
            return self.head(nn.functional.one_hot(words, 9).float().mean(1))

    batch = torch.randint(1, 9, (16, 5)), torch.arange(16) % 2
    embedded = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 2))
    loss = nn.CrossEntropyLoss()
    assert own._refusal(Task(embedded, loss=loss, inputs="tokens"), Recipe(one), batch) == ""
    assert "mbedding" in own._refusal(Task(Counted(), loss=loss, inputs="tokens"), Recipe(one), batch)
    assert "tokens" not in UNFIT


def test_our_own_nets_wish_nothing(runner, monkeypatch):
    monkeypatch.setattr(own.finish, "pace", lambda *_: {})
    assert own.pace(runner, {"spec": SPEC.changed(model="Tabular").to_dict()}, None) == {"own": {}}


def test_a_loss_that_gives_one_number_is_enough_to_the_last_step(mine):
    spec = SPEC.changed(
        id="own1", settings={**SPEC.settings, "epochs": 2.0}, recipe={"regularizers": [{"name": "MixUp"}]}
    )
    event = jobs.safe(jobs.trial, mine, {"spec": spec.to_dict(), "robustness": False}, lambda event: {"continue": True})
    assert event["event"] == "done", event
    assert event["status"] == "done"
    answer = jobs._predict(mine, SimpleNamespace(predict=lambda rows: np.full((rows.size, 2), 0.5)), np.arange(3))
    assert answer.shape == (3, 2)
    for wrong, words in ((np.nan, "3 of 3 answers are not numbers"), (np.inf, "finite ones")):
        with pytest.raises(StudyError, match=words):
            jobs._predict(mine, SimpleNamespace(predict=lambda r, w=wrong: np.full((r.size, 2), w)), np.arange(3))
    with pytest.raises(StudyError, match=r"shape \(3, 5\)"):
        jobs._predict(mine, SimpleNamespace(predict=lambda rows: np.zeros((rows.size, 5))), np.arange(3))
    assert own.finish.refit(mine, {"spec": spec.to_dict()}, None)["rows"] == len(mine.roles.refit)
    job = {"members": [spec.to_dict()], "weights": [1.0], "seed": 0, "name": "winner",
           "out_of_fold": "trials/own1/selection.npy"}  # fmt: skip
    assert own.finish.finish(mine, job, None)["evaluation"]["measurements"]["accuracy"]["value"] > 0.3
