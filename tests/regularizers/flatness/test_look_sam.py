"""LookSAM: the saving is counted, the reused direction is by hand."""

import pytest
import torch

from temperance import SAM, LookSAM, Recipe
from temperance.records.errors import SettingError
from temperance.testing.effects import passes
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train, trained

DOUBLE = torch.float64


@pytest.mark.parametrize("every", [1, 2, 4, 5, 10])
def test_backward_passes_are_exactly_n_times_1_plus_1_over_k(every):
    assert passes(LookSAM(every=every), PROBLEMS["mlp"]) == 20 * (1 + 1 / every)
    assert LookSAM(every=every).cost.backwards == 1 + 1 / every


def test_k_1_is_sam_bit_for_bit():
    problem = PROBLEMS["convnet"]
    one, two = (outcome(trained(Recipe(r), problem)) for r in (LookSAM(0.1, every=1), SAM(0.1)))
    assert_same(one, two, "k = 1")


def gradient(session):
    return torch.cat([p.grad.flatten().clone() for p in session.model.parameters()])


def test_a_step_between_takes_the_kept_direction_in_proportion():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(LookSAM(0.1, every=3, alpha=0.7)), problem, dtype=DOUBLE)
    train(session, problem, [0], DOUBLE)
    across = torch.cat([t.flatten() for t in session._memory["look_sam"]["across"].tensors]).clone()
    plain = torch.cat([t.flatten() for t in session.solo.plain_gradient(problem.batch(1, DOUBLE)).tensors])
    train(session, problem, [1], DOUBLE)
    used = gradient(session)
    torch.testing.assert_close(used, plain + 0.7 * plain.norm() / across.norm() * across, rtol=1e-9, atol=1e-12)
    assert float(used.norm()) <= 1.7 * float(plain.norm())


def test_the_kept_direction_is_orthogonal_to_the_plain_gradient():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(LookSAM(0.2, every=3)), problem, dtype=DOUBLE)
    plain = torch.cat([t.flatten() for t in session.solo.plain_gradient(problem.batch(0, DOUBLE)).tensors])
    train(session, problem, [0], DOUBLE)
    across = torch.cat([t.flatten() for t in session._memory["look_sam"]["across"].tensors])
    assert abs(float(across @ plain)) < 1e-10 * float(across.norm() * plain.norm()) + 1e-14


@pytest.mark.parametrize("wrong", [{"every": 0}, {"every": 2.5}, {"alpha": -1.0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(SettingError, match="LookSAM got"):
        LookSAM(**wrong)
