"""What a user's Task asks for is heard: epochs, batch size, recipe."""

import pytest

from temperance.study import jobs, own
from temperance.study.runner import Runner
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
    assert own.finish.refit(mine, {"spec": spec.to_dict()}, None)["rows"] == len(mine.roles.refit)
    job = {"members": [spec.to_dict()], "weights": [1.0], "seed": 0, "name": "winner",
           "out_of_fold": "trials/own1/selection.npy"}  # fmt: skip
    assert own.finish.finish(mine, job, None)["evaluation"]["measurements"]["accuracy"]["value"] > 0.3
