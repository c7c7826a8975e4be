"""RecipeTrainer on two gloo processes: replicas stay equal, train as one process on all rows, resume bit for bit."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small import assert_same, trainer, weights

from temperance import Recipe

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replicas")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    words = [sys.executable, str(HERE / "trainer_program.py"), str(folder)]
    own = [{**os.environ, **shared, "RANK": str(number), "LOCAL_RANK": str(number)} for number in range(2)]
    runs = [subprocess.Popen(words, env=env, **pipe) for env in own]
    said = [run.communicate(timeout=180)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    return [torch.load(folder / f"{number}.pt", weights_only=True) for number in range(2)]


@pytest.mark.parametrize("kind", ["plain", "cocktail"])
@pytest.mark.slow
def test_replicas_stay_equal_and_resume(replicas, kind):
    one, two = (replica[kind] for replica in replicas)
    assert one["steps"] == two["steps"] == 4
    assert_same(one["model"], two["model"])
    assert_same(one["again"], one["model"])
    assert one["strengths"] == two["strengths"]


def test_strengths_moved_and_alike(replicas):
    assert replicas[0]["cocktail"]["strengths"]["dropout.p"] != 0.2


def test_two_processes_train_as_one_on_all_rows(replicas, tmp_path):
    alone = trainer(
        tmp_path, Recipe(), per_device_train_batch_size=16, optim="sgd", max_grad_norm=0.5,
        train_sampling_strategy="sequential",
    )  # fmt: skip
    alone.train()
    assert_same(weights(alone.model), replicas[0]["plain"]["model"], 1e-6)
