from pathlib import Path

import numpy as np
import pytest

import temperance.regularizers
import temperance.signals  # noqa: F401
from temperance.data import read, save_roles
from temperance.data.roles import split
from temperance.study.parts import NONE, basic_part, folded_part
from temperance.study.runner import Runner
from temperance.study.store import save_table


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2))
    y = ["a" if v > 0 else "b" for v in x[:, 0] + 0.3 * rng.normal(size=120)]
    table = read({"x0": x[:, 0], "x1": x[:, 1], "y": y}, target="y").table
    save_table(table, tmp_path / "table")
    save_roles(split(table, seed=0, test=table.take(NONE)), tmp_path / "roles.npz")
    return Runner(tmp_path)


def test_a_basic_model_answers_each_row_out_of_fold(runner: Runner) -> None:
    part = basic_part(runner, "Linear", "t001", seed=0)
    truth = np.asarray(runner.table.target)[runner.roles.judged]
    assert part.answer.shape == (120, 2)
    assert part.held is part.answer
    assert (part.answer.argmax(axis=1) == truth).mean() > 0.8
    assert part.row["status"] == "done"
    assert part.row["cost"]["seconds"] > 0


def test_a_folded_run_answers_each_row_by_members_that_did_not_learn_it(runner: Runner) -> None:
    part = folded_part(runner, seed=0)
    assert part.answer.shape == part.held.shape == (120, 2)
    assert np.isfinite(part.answer).all()
    rows = runner.table.rows.take(np.arange(5))
    members = part.predictor.members(rows)
    shares = np.array(part.predictor.member_shares(members.shape[1]))
    assert np.allclose(np.einsum("bkc,k->bc", members, shares), part.predictor.predict(rows), atol=1e-6)
