"""A value of a strength for each member: equal values are one value, a member is its solo run, neutral is absent."""

import pytest
import torch

from temperance import Dropout, LabelSmoothing, Recipe, WeightDecay
from temperance.core.members import along, spread
from temperance.models import ModelInfo, build, cross_entropy
from temperance.records.errors import RecipeError, SettingError

INFO = ModelInfo(3, (4,), 2, "binary")
RECIPE = Recipe(WeightDecay(0.2), Dropout(0.2))


def trained(recipe, strengths=None, *, steps=6, keep=None):
    net = build("tabular", INFO, 0, members=4, banks=2, width=8)
    key = torch.Generator().manual_seed(1)
    inputs = torch.randn(12, 3, generator=key), torch.randint(0, 4, (12, 1), generator=key)
    labels = torch.randint(0, 2, (12,), generator=key)
    wanted = labels.unsqueeze(1).expand(12, 4).clone()
    if keep is not None:
        wanted[:, [i for i in range(4) if i != keep]] = -1
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    session = recipe.attach(net, optimizer, loss=cross_entropy, steps=steps, seed=3, member_strengths=strengths)
    for _ in range(steps):
        session.step((inputs, wanted))
    session.finish()
    return {name: p.detach().clone() for name, p in net.named_parameters()}


def same(one, other, *, atol=0.0):
    return all(torch.allclose(one[name], other[name], atol=atol, rtol=0) for name in one)


def test_equal_values_are_one_value():
    vector = {"dropout.p": [0.2] * 4, "weight_decay.rate": [0.2] * 4}
    assert same(trained(RECIPE), trained(RECIPE, vector), atol=1e-7)


def test_a_member_does_as_if_all_had_its_strengths():
    mixed = trained(RECIPE, {"dropout.p": [0.2, 0.5, 0.0, 0.2], "weight_decay.rate": [0.2, 1.0, 0.0, 0.2]})
    other = trained(Recipe(WeightDecay(1.0), Dropout(0.5)))
    for name in ("output.weight", "hidden.0.weight", "hidden.1.bias"):
        torch.testing.assert_close(mixed[name][1], other[name][1], atol=1e-7, rtol=0)
        assert not torch.allclose(mixed[name][0], other[name][0])


def test_a_neutral_entry_is_absent():
    mixed = trained(RECIPE, {"dropout.p": [0.2, 0.0, 0.3, 0.4], "weight_decay.rate": [0.2, 0.0, 1.0, 0.1]})
    bare = trained(Recipe())
    assert torch.equal(mixed["output.weight"][1], bare["output.weight"][1])
    assert not torch.equal(mixed["output.weight"][0], bare["output.weight"][0])


def test_members_of_an_entry_are_found_by_view():
    net = build("tabular", INFO, 0, members=4, banks=2, width=8)
    assert net.members_of("entries.1.weight") == slice(2, 4)
    assert net.members_of("output.weight") == slice(0, 4)
    assert net.members_of("views.0.numbers.0.mixture") is None
    leaf = torch.ones(2, 3, 5)
    assert along(torch.tensor([1.0, 2.0, 3.0, 4.0]), leaf, slice(2, 4)).flatten().tolist() == [3.0, 4.0]
    assert float(along(torch.tensor([1.0, 3.0]), leaf, None)) == 2.0
    assert spread(torch.tensor([1.0, 2.0]), leaf).shape == (2, 1, 1)


@pytest.mark.parametrize(
    ("recipe", "strengths", "error", "words"),
    [
        (RECIPE, {"dropout.q": [0.1] * 4}, RecipeError, "no strength 'dropout.q'"),
        (RECIPE, {"dropout.p": [0.1] * 3}, RecipeError, "3 values of dropout.p for TabularNet with 4 members"),
        (RECIPE, {"dropout.p": [0.1, 0.1, 0.1, 2.0]}, SettingError, "2"),
        (Recipe(LabelSmoothing(0.1)), {"label_smoothing.eps": [0.1] * 4}, RecipeError, "one eps for all members"),
    ],
)
def test_what_cannot_be_is_refused(recipe, strengths, error, words):
    with pytest.raises(error, match=words):
        trained(recipe, strengths)


def test_a_net_without_members_takes_one_value():
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match="with no members"):
        RECIPE.attach(net, optimizer, loss=cross_entropy, member_strengths={"dropout.p": [0.1, 0.2]})
