"""GSAM: the part that is taken off is orthogonal to the gradient uphill."""

import pytest
import torch

from temperance import GSAM, SAM, Recipe
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train, trained


def step_of(one, problem):
    session = attach(Recipe(one), problem, dtype=torch.float64)
    train(session, problem, [0], torch.float64)
    return torch.cat([p.grad.flatten() for p in session.model.parameters()])


@pytest.mark.parametrize("name", ["mlp", "convnet"])
def test_alpha_0_is_sam_bit_for_bit(name):
    problem = PROBLEMS[name]
    assert_same(
        outcome(trained(Recipe(GSAM(0.1, alpha=0.0)), problem)), outcome(trained(Recipe(SAM(0.1)), problem)), ""
    )


def test_what_is_taken_off_is_orthogonal_to_the_gradient_uphill():
    problem = PROBLEMS["mlp"]
    plain, steep = step_of(SAM(0.0), problem), step_of(SAM(0.3), problem)
    taken = steep - step_of(GSAM(0.3, alpha=0.5), problem)
    assert abs(float(taken @ steep)) < 1e-12
    across = plain - (plain @ steep) / (steep @ steep) * steep
    torch.testing.assert_close(taken, 0.5 * across, rtol=1e-8, atol=1e-12)


def test_two_that_go_uphill_refuse_each_other():
    with pytest.raises(RecipeError, match="GSAM and SAM"):
        Recipe(SAM(), GSAM())
