"""F-SAM: its average of gradients by hand."""

import pytest
import torch

from temperance import SAM, FriendlySAM, Recipe
from temperance.records.errors import SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train, trained


def test_sigma_0_is_sam_bit_for_bit():
    problem = PROBLEMS["convnet"]
    one, two = (outcome(trained(Recipe(r), problem)) for r in (FriendlySAM(0.1, sigma=0.0), SAM(0.1)))
    assert_same(one, two, "sigma 0")


def test_the_average_starts_at_the_first_gradient_and_moves_by_a_tenth():
    problem = PROBLEMS["mlp"]
    session = attach(Recipe(FriendlySAM(0.0, decay=0.9)), problem, dtype=torch.float64)
    train(session, problem, [0], torch.float64)
    first = {name: p.grad.clone() for name, p in session.model.named_parameters()}
    train(session, problem, [1], torch.float64)
    shared = session._memory["friendly_sam"]["shared"]
    for name, p in session.model.named_parameters():
        torch.testing.assert_close(shared[name], 0.9 * first[name] + 0.1 * p.grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("wrong", [{"sigma": -1.0}, {"decay": 1.0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(SettingError, match="lies between"):
        FriendlySAM(**wrong)
