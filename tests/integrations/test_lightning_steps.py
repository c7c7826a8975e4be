"""What runs a session's step inside Lightning: replaced methods, two gloo processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lightning")

import torch
from tests.integrations.lightning_nets import apart
from torch import nn

from temperance.core.wrappers import Around, bare
from temperance.integrations.lightning_steps import OwnLoss, Replaced, Skipped, without_joined

PROGRAM = Path(__file__).parent / "lightning_replicas.py"
KINDS = ("plain", "cocktail", "sam", "own step", "manual")


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lightning")
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(folder)], env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {
        kind: [torch.load(folder / f"{kind}-{rank}.pt", weights_only=True) for rank in range(2)]
        for kind in (*KINDS, "lightning alone")
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_replicas_stay_equal(replicas, kind):
    first, second = replicas[kind]
    assert all(torch.equal(first["model"][name], second["model"][name]) for name in first["model"])
    assert first["strengths"] == second["strengths"]
    assert first["steps"] == second["steps"] == (12, 12)


def test_an_empty_recipe_trains_as_lightning_alone(replicas):
    alone, ours = replicas["lightning alone"][0]["model"], replicas["plain"][0]["model"]
    assert all(torch.equal(alone[name], ours[name]) for name in alone)


def test_a_replaced_method_comes_back_unless_somebody_else_replaced_it():
    class One:
        def go(self):
            return 1

    one = One()
    replaced = Replaced(one, "go", lambda: 2)
    assert one.go() == 2
    replaced.undo()
    assert one.go() == 1
    one.go = lambda: 3
    replaced = Replaced(one, "go", lambda: 4)
    other = Replaced(one, "go", lambda: 5)
    replaced.undo()
    assert one.go() == 5
    other.undo()
    assert one.go() == 4


def test_the_names_of_a_module_that_runs_another_are_those_inside():
    inside = nn.Linear(2, 2)
    assert bare(Around(inside)) is inside


def test_the_answer_of_training_step_is_kept_with_its_loss_replaced():
    own = OwnLoss(nn.Linear(2, 2), lambda value: {"loss": value, "extra": 3})
    own.call = ((torch.ones(()),), {})
    assert own(own.batch.inputs)["loss"] == 1
    assert own.answer(torch.zeros(())) == {"loss": torch.zeros(()), "extra": 3}
    with pytest.raises(Skipped):
        OwnLoss(nn.Linear(2, 2), lambda: None)(own.batch.inputs)


def test_groups_that_attaching_added_are_left_out_of_the_optimizers_state():
    one, two = nn.Linear(2, 2), nn.Linear(2, 2)
    optimizer = torch.optim.Adam(one.parameters())
    optimizer.add_param_group({"params": list(two.parameters())})
    (one(torch.ones(1, 2)) + two(torch.ones(1, 2))).sum().backward()
    optimizer.step()
    fresh = torch.optim.Adam(one.parameters())
    fresh.load_state_dict(without_joined(optimizer.state_dict(), [2]))
    assert len(fresh.param_groups) == 1
    assert len(fresh.state) == 2
    grown = optimizer.state_dict()
    assert without_joined(grown, [2, 1])["param_groups"][1]["params"] == [2]
    assert set(without_joined(grown, [2, 1])["state"]) == {0, 1, 2}
    assert apart(one, one) == 0
