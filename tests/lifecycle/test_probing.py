import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from temperance.lifecycle.probing import held_losses, probe
from temperance.study import jobs
from temperance.study.runner import Runner


@pytest.fixture
def runner(pair: Path, tmp_path: Path) -> Runner:
    for name in ("table", "roles.npz"):
        (tmp_path / name).symlink_to(pair.parent / name)
    return Runner(tmp_path)


def go_on(event):
    return {"continue": True}


def test_the_net_is_tried_weaker_and_stronger_where_there_is_time(runner: Runner, made: SimpleNamespace) -> None:
    jobs.trial(runner, {"spec": made.NET.to_dict(), "robustness": False}, go_on)
    said: list[str] = []
    chosen, event, answer = probe(
        runner, made.NET, metric="log_loss", seconds=0.1, left=lambda: math.inf, say=said.append
    )
    assert [words.rpartition(", ")[2] for words in said] == ["weaker", "stronger"]
    assert set(answer.losses) == {"as it was", "weaker", "stronger"}
    assert (event is None) == (chosen.id == made.NET.id)
    assert answer.sentence


def test_without_time_nothing_is_tried_and_that_is_said(runner: Runner, made: SimpleNamespace) -> None:
    jobs.trial(runner, {"spec": made.NET.to_dict(), "robustness": False}, go_on)
    chosen, event, answer = probe(runner, made.NET, metric="log_loss", seconds=5.0, left=lambda: 1.0, say=print)
    assert chosen is made.NET
    assert event is None
    assert "was not tried" in answer.sentence


def test_losses_are_those_of_the_held_out_rows(runner: Runner, made: SimpleNamespace) -> None:
    jobs.trial(runner, {"spec": made.NET.to_dict(), "robustness": False}, go_on)
    answer = np.load(runner.folder / "trials" / made.NET.id / "selection.npy")[runner.roles.judged]
    truth = np.asarray(runner.table.target)[runner.roles.judged]
    by_hand = -np.log(answer[np.arange(len(truth)), truth])
    assert np.allclose(held_losses(runner, made.NET, "log_loss"), by_hand, atol=1e-6)
