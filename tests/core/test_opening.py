"""The first step: places that never run, and noise that a rate of 0 leaves on."""

import warnings

import pytest
import torch
import torch.nn.functional as alias
from torch import nn
from torch.nn import functional
from torch.nn.functional import dropout as imported

from temperance import ConcreteDropout, DropConnect, Dropout, GaussianDropout, Mixout, RDrop, Recipe
from temperance.core.opening import NeverRan, NoiseLeft


def attached(one, model):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=functional.cross_entropy)


def batch():
    return torch.randn(6, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 1, 2])


class Unheard(nn.Module):
    """Holds layers whose weights and kinds are used, and never calls them, as Mamba does."""

    def __init__(self):
        super().__init__()
        self.act, self.inner, self.head = nn.SiLU(), nn.Linear(8, 8), nn.Parameter(torch.ones(8, 3))

    def forward(self, x):
        return functional.linear(functional.silu(x), self.inner.weight) @ self.head


@pytest.mark.parametrize(
    "one",
    [Dropout(0.5), GaussianDropout(0.5), RDrop(1.0), ConcreteDropout(), DropConnect(0.5), Mixout(0.5)],
    ids=lambda one: type(one).__name__,
)
def test_places_that_never_run_are_told(one):
    session = attached(one, Unheard())
    with pytest.warns(NeverRan, match=f"{type(one).__name__} did nothing in the first step"):
        session.step(batch())
    assert any("did nothing in the first step" in text for text in session.warnings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session.step(batch())


class Body(nn.Module):
    """Draws in a way of its own beside a layer of dropout."""

    def __init__(self, noise):
        super().__init__()
        self.noise, self.layer, self.head = noise, nn.Dropout(0.2), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.layer(self.helper(x) if self.training else x))

    def helper(self, x):
        return self.noise(x)


def fused(x):
    z = x[:, None, :, None]
    return functional.scaled_dot_product_attention(z, z, z, dropout_p=0.5)[:, 0, :, 0]


NOISES = {
    "alias": lambda x: alias.dropout(x, 0.5, True),
    "imported": lambda x: imported(x, 0.5, True),
    "bernoulli": lambda x: x * torch.bernoulli(torch.full_like(x, 0.5)),
    "in place": lambda x: x * torch.empty_like(x).bernoulli_(0.5),
    "rand_like": lambda x: x * (torch.rand_like(x) > 0.5),
    "attention": fused,
}


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("one", [Dropout(0.0), GaussianDropout(0.0)], ids=lambda one: type(one).__name__)
def test_noise_that_a_rate_of_0_leaves_on_is_told_with_its_place(one, kind):
    session = attached(one, Body(NOISES[kind]))
    with pytest.warns(NoiseLeft, match=r"at 0 leaves noise on .* in Body"):
        first = session.step(batch()).outputs
    assert not torch.equal(first, session.step(batch()).outputs)
    assert sum("leaves noise on" in text for text in session.warnings) == 1


class Locked(nn.Dropout):
    """One mask for all rows."""

    def forward(self, x):
        if not self.training:
            return x
        return x * torch.empty(1, x.shape[1]).bernoulli_(1 - self.p) / (1 - self.p)


@pytest.mark.parametrize(
    ("one", "noise"),
    [
        (Dropout(0.0), nn.Dropout(0.4)),
        (Dropout(0.0), Locked(0.4)),
        (Dropout(0.0), lambda x: functional.dropout(x, 0.0, True)),
        (Dropout(0.3), NOISES["bernoulli"]),
    ],
    ids=["layer", "own forward", "rate 0", "rate above 0"],
)
def test_nothing_is_told_where_nothing_is_left_or_noise_is_wanted(one, noise):
    session = attached(one, Body(noise))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs = [session.step(batch()).outputs for _ in range(2)]
    assert torch.equal(*outputs) == (one == Dropout(0.0))


def test_the_watch_changes_no_number_and_ends_with_the_step():
    losses = []
    for one in (Dropout(0.0), Dropout(0.0, at="noise")):  # with and without a watch
        torch.manual_seed(0)
        model = Body(nn.Identity())
        model.layer.p = 0.0
        session = attached(one, model)
        assert session.solo.opening is not None
        losses.append(session.step(batch()).loss.item())
        assert session.solo.opening is None
    assert losses[0] == losses[1]
