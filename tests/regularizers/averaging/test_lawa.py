"""The mean of the latest copies."""

import pytest
import torch

from temperance import LAWA, Recipe
from temperance.records.errors import SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach, train

MLP = PROBLEMS["mlp"]


def counting(one, steps):
    """Train a weight that is 1, 2, 3 … after its steps."""
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    session, seen = Recipe(one).attach(model, optimizer, loss=lambda out, y: -out.squeeze(1)), []
    for _ in range(steps):
        session.step((torch.ones(1, 1), torch.zeros(1)))
        seen.append(session.served["weight"].item())
    return session, seen


def test_weights_1_2_3_give_2_on_the_cpu():
    session, seen = counting(LAWA(window=3, every=1), 3)
    assert seen == [1.0, 1.5, 2.0]  # copies that share memory with the weights would give 3.0
    assert session.finish().weight.item() == 2.0


def test_the_oldest_copy_leaves_and_the_spacing_holds():
    assert counting(LAWA(window=2, every=2), 7)[1] == [1.0, 2.0, 2.0, 3.0, 3.0, 5.0, 5.0]
    assert counting(LAWA(0.5, window=2, every=1), 3)[1] == [1.0, 1.75, 2.75]


def test_once_an_epoch_where_not_told():
    session = attach(Recipe(LAWA()), MLP, epochs=4, steps_per_epoch=3)
    ends = []
    for number in range(12):
        session.step(MLP.batch(number))
        if number % 3 == 2:
            ends.append(session.solo.home.clone())
    for name, served in session.served.items():
        torch.testing.assert_close(served, torch.stack([end[name] for end in ends]).mean(0))


def test_the_trained_weights_are_those_of_a_plain_run():
    one, two = (train(attach(r, MLP), MLP, range(6)) for r in (Recipe(LAWA(window=2, every=1)), Recipe()))
    assert all(torch.equal(a, b) for a, b in zip(one.solo.home.tensors, two.solo.home.tensors, strict=True))


@pytest.mark.parametrize("wrong", [{"window": 0}, {"every": 0}, {"share": 1.5}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        LAWA(**wrong)
