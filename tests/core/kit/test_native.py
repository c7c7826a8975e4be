"""Rates that attention, recurrent layers and functional calls read follow the strength; the key seeds the noise."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from temperance import Dropout, Recipe
from temperance.core.functional import Compiled
from temperance.core.kit.native import drop_paths, is_path, rates
from temperance.core.optimizers import SGD
from temperance.records.errors import RecipeError


class Functional(nn.Module):
    """Keeps its rate as a number, as BART does."""

    def __init__(self):
        super().__init__()
        self.inner, self.dropout = nn.Linear(8, 8), 0.3

    def forward(self, x):
        return functional.dropout(self.inner(x), p=self.dropout, training=self.training)


class Recurrent(nn.Module):
    """Two layers with noise between them."""

    def __init__(self, kind):
        super().__init__()
        self.inner = kind(8, 8, 2, dropout=0.3, batch_first=True)

    def forward(self, x):
        return self.inner(x)[0]


class Heads(nn.Module):
    """Torch's own attention."""

    def __init__(self):
        super().__init__()
        self.inner = nn.MultiheadAttention(8, 2, dropout=0.3, batch_first=True)

    def forward(self, x):
        return self.inner(x, x, x, need_weights=False)[0]


PARTS = {
    "functional": Functional, "attention": Heads, "lstm": lambda: Recurrent(nn.LSTM), "gru": lambda: Recurrent(nn.GRU),
    "rnn": lambda: Recurrent(nn.RNN), "layer": lambda: nn.TransformerEncoderLayer(8, 2, 16, 0.3, batch_first=True),
}  # fmt: skip


class Net(nn.Module):
    """A part and a head."""

    def __init__(self, part, form=None):
        super().__init__()
        self.first, self.part, self.head, self.form = nn.Linear(8, 8), PARTS[part](), nn.Linear(8, 3), form

    def forward(self, x):
        x = self.first(x)
        x = self.part(x) if self.form is None else checkpoint(self.part, x, use_reentrant=self.form)
        return self.head(x.mean(1))


def batch():
    generator = torch.Generator().manual_seed(3)
    return torch.randn(6, 5, 8, generator=generator), torch.tensor([0, 1, 2, 0, 1, 2])


def trained(part, p, form=None, seed=0):
    torch.manual_seed(0)
    model = Net(part, form)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(Dropout(p)).attach(model, optimizer, loss=functional.cross_entropy, seed=seed)
    values = [float(session.step(batch()).loss.detach()) for _ in range(3)]
    return values, session


@pytest.mark.parametrize("part", PARTS)
def test_a_rate_follows_the_strength_and_comes_back(part):
    _, session = trained(part, 0.2)
    places = rates(session.module)
    assert places
    assert {rate.value for rate in places} == {0.2}
    session.set_strength("dropout.p", 0.5)
    assert {rate.value for rate in places} == {0.5}
    session.finish()
    assert {rate.value for rate in places} == {0.3}
    assert [m for m in session.module.modules() if "forward" in m.__dict__ or "__deepcopy__" in m.__dict__] == []


@pytest.mark.parametrize("part", PARTS)
def test_it_acts_in_training_by_the_steps_key_and_is_silent_at_inference(part):
    outside = torch.get_rng_state()
    first, session = trained(part, 0.4)
    torch.rand(5)
    assert trained(part, 0.4)[0] == first
    assert trained(part, 0.4, seed=1)[0] != first
    assert trained(part, 0.0)[0] != first
    assert trained(part, 0.0)[0] == trained(part, 0.0, seed=1)[0]  # nothing else draws
    model = session.module.eval()
    assert torch.equal(model(batch()[0]), model(batch()[0]))
    torch.set_rng_state(outside)


@pytest.mark.parametrize("form", [True, False])
@pytest.mark.parametrize("part", PARTS)
def test_checkpoints_see_the_same_noise(part, form):
    assert trained(part, 0.4, form)[0] == pytest.approx(trained(part, 0.4)[0], rel=1e-6)


def test_the_users_own_noise_goes_on_as_it_would():
    torch.manual_seed(5)
    expected = torch.rand(3)
    _, session = trained("functional", 0.4)
    torch.manual_seed(5)
    session.step(batch())
    assert torch.equal(torch.rand(3), expected)


def test_rates_at_zero_stay_unless_the_model_has_no_other_place():
    class Both(nn.Module):
        def __init__(self, rate):
            super().__init__()
            self.one, self.two = Functional(), Functional()
            self.one.dropout, self.two.dropout = rate, 0.0

        def forward(self, x):
            return self.two(self.one(x)).mean(1)[:, :3]

    for rate, expected in ((0.3, (0.2, 0.0)), (0.0, (0.2, 0.2))):
        model = Both(rate)
        Recipe(Dropout(0.2)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy)
        assert (model.one.dropout, model.two.dropout) == expected


def test_numbers_that_are_no_rate_of_dropout_are_left_alone():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_dropout, self.resid_pdrop, self.drop_prob = 0.1, 0.1, 0.1
            self.layerdrop, self.drop_path_rate, self.token_dropout, self.use_dropout, self.dropouts = (
                0.1,
                0.1,
                0.1,
                True,
                3,
            )

    found = {rate.attribute for rate in rates(Named())}
    assert found == {"attention_dropout", "resid_pdrop", "drop_prob"}
    assert rates(nn.LSTM(4, 4, 1)) == []


def test_layers_that_skip_branches():
    class SwinDropPath(nn.Module):
        def __init__(self, drop_prob=0.1):
            super().__init__()
            self.drop_prob = drop_prob

    model = nn.ModuleDict({"drop_path": nn.Identity(), "other": nn.Identity(), "path": SwinDropPath()})
    assert drop_paths(model) == [model["drop_path"], model["path"]]
    assert is_path(model["path"])
    assert not is_path(model["other"])


def test_a_value_per_member_is_refused_where_one_number_is_read():
    class Members(Net):
        members = 2

        def members_of(self, name):
            return None

    model = Members("functional")
    with pytest.raises(RecipeError, match="has a value per member"):
        Recipe(Dropout(0.1)).attach(
            model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy,
            member_strengths={"dropout.p": [0.1, 0.2]},
        )  # fmt: skip


@pytest.mark.parametrize("part", ["functional", "attention"])
def test_a_pure_step_uses_the_strength_of_its_state(part):
    step = Compiled(Recipe(Dropout(0.4)), Net(part), functional.cross_entropy, SGD(lr=0.1))
    state = step.begin(seed=0)
    losses = []
    for p in (0.0, 0.0, 0.7):
        state.strengths["dropout"]["p"].fill_(p)
        losses.append(float(step(state, batch())[1]["loss"]))
    assert losses[0] == losses[1]
    assert losses[2] != losses[0]
