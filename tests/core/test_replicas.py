"""Data-parallel training: two processes on one machine, their replicas must stay equal."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from temperance.core.replicas import agree, rank

PROGRAM = Path(__file__).parent / "replica_program.py"


def test_alone_every_number_stays():
    assert rank() == 0
    numbers = {"gap": 0.3, "gap_error": math.nan}
    assert agree(numbers, torch.device("cpu"))["gap"] == 0.3


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replicas")
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    commands = [[sys.executable, str(PROGRAM), str(number), str(folder)] for number in range(2)]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "env": env, "text": True}
    runs = [subprocess.Popen(command, **pipe) for command in commands]
    said = [run.communicate(timeout=180)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    return [torch.load(folder / f"{number}.pt", weights_only=True) for number in range(2)]


@pytest.mark.parametrize("kind", ["plain", "cocktail"])
def test_replicas_stay_equal_bit_for_bit(replicas, kind):
    one, two = (replica[kind] for replica in replicas)
    for name in one["model"]:
        assert torch.equal(one["model"][name], two["model"][name]), name
    assert one["strengths"] == two["strengths"]
    assert {one["rank"], two["rank"]} == {0, 1}
    assert one["losses"] != two["losses"]  # each saw its own rows


def test_two_replicas_equal_one_process_with_all_rows(replicas):
    torch.testing.assert_close(replicas[0]["plain"]["model"], replicas[0]["single"], rtol=1e-5, atol=1e-6)


def test_strengths_move_under_replicas(replicas):
    assert replicas[0]["cocktail"]["moves"] > 0


@pytest.mark.parametrize("kind", ["soup", "averages", "rates", "thawing"])
def test_what_is_chosen_or_learnt_is_the_same_on_every_replica(replicas, kind):
    one, two = (replica[kind] for replica in replicas)
    for name in one:
        assert torch.equal(one[name], two[name]), name


def test_wrapping_after_attach_is_refused_with_the_right_order(replicas):
    for replica in replicas:
        assert "weights of 2 processes differ" in replica["late"]
        assert "Wrap first, then attach" in replica["late"]


def test_layers_that_freeze_need_replicas_that_do_not_wait_for_them(replicas):
    for replica in replicas:
        assert len(replica["impatient"]) == 2
        for said in replica["impatient"]:
            assert "FrozenPrefix" in said
            assert "find_unused_parameters=True" in said


def test_all_replicas_leave_out_the_same_steps(replicas):
    one, two = (replica["skipped"] for replica in replicas)
    assert one["left_out"] == two["left_out"] == [3]
    assert all(torch.equal(one["model"][name], two["model"][name]) for name in one["model"])
    assert all(bool(torch.isfinite(t).all()) for t in one["model"].values())
