"""Deep copies of a model that a recipe is attached to."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from temperance import (
    EMA,
    ConcreteDropout,
    DropConnect,
    Dropout,
    ManifoldMixUp,
    RDrop,
    Recipe,
    SpectralNorm,
    StochasticDepth,
)
from temperance.core.copies import is_attached
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train

MLP, CONV = PROBLEMS["mlp"], PROBLEMS["convnet"]


class Noisy(nn.Module):
    """A net whose own dropout a technique takes over."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.layers = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 3))
        self.calls = 0
        self.layers[0].register_forward_hook(self.count)

    def count(self, *_):
        self.calls += 1

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("one", [Dropout(0.5), DropConnect(0.5), SpectralNorm(), EMA(0.9)], ids=repr)
def test_a_copy_is_the_plain_model_with_the_trained_weights(one):
    model = Noisy()
    session = Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)
    session.step(MLP.batch(0))
    twin = copy.deepcopy(model)
    assert is_attached(model)
    assert not is_attached(twin)
    assert type(twin.layers[1]) is nn.Dropout
    assert sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in twin.modules()) == 1  # the user's own
    assert [n for n, _ in twin.named_buffers()] == []
    assert_same(dict(twin.state_dict()), dict(model.state_dict()), "weights")
    assert not any(a is b for a, b in zip(twin.parameters(), model.parameters(), strict=True))
    torch.manual_seed(0)
    first = twin(MLP.batch(1).inputs)
    torch.manual_seed(0)
    plain = Noisy()
    plain.load_state_dict(twin.state_dict())
    torch.manual_seed(0)
    assert torch.equal(first, plain(MLP.batch(1).inputs))
    Recipe(one).attach(twin, torch.optim.SGD(twin.parameters(), lr=0.1), loss=MLP.loss).step(MLP.batch(0))


def test_what_the_user_did_after_attach_is_copied_too_and_training_goes_on():
    session, plain = (
        attach(Recipe(Dropout(0.2), StochasticDepth(0.5)), MLP),
        attach(Recipe(Dropout(0.2), StochasticDepth(0.5)), MLP),
    )
    train(session, MLP, range(3))
    session.module.note = "mine"
    session.module.register_buffer("seen", torch.ones(2))
    hook = session.module[0].register_forward_hook(lambda *_: None)
    twin = AveragedModel(session.module).module
    assert twin.note == "mine"
    assert torch.equal(twin.seen, torch.ones(2))
    assert len(twin[0]._forward_hooks) == 1
    hook.remove()
    del session.module.seen
    train(session, MLP, range(3, 6))
    train(plain, MLP, range(6))
    assert_same(outcome(session), outcome(plain), "trained on after a copy")
    session.finish()
    assert not [key for key in session.module.__dict__ if key.startswith(("_temperance", "__deepcopy"))]


def test_a_pickled_model_is_not_attached():
    session = train(attach(Recipe(EMA(0.9)), MLP), MLP, range(2))
    twin = pickle.loads(pickle.dumps(session.module))
    assert not is_attached(twin)
    file = io.BytesIO()
    torch.save(session.module, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    assert_same(dict(again.state_dict()), dict(session.module.state_dict()), "saved whole")
    for one in (twin, again, copy.deepcopy(again), copy.copy(session.module)):
        Recipe(Dropout(0.1)).attach(one, torch.optim.SGD(one.parameters(), lr=0.1), loss=MLP.loss).finish()


@pytest.mark.parametrize(
    "one", [Dropout(0.5), RDrop(1.0), ConcreteDropout(), ManifoldMixUp(1.0), DropConnect(0.5), SpectralNorm()],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_a_pickle_is_that_of_the_plain_model(one):
    """``torch.save(model)`` ended in "Can't pickle local object", or came back with noise that nobody steers."""
    model = Noisy()
    session = Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)
    session.step(MLP.batch(0))
    twin = pickle.loads(pickle.dumps(model))
    assert type(twin.layers[1]) is nn.Dropout
    assert [type(m) for m in twin.modules()] == [type(m) for m in Noisy().modules()]
    assert_same(dict(twin.state_dict()), {n: model.state_dict()[n] for n in twin.state_dict()}, "weights")
    assert twin.train()(MLP.batch(0).inputs).shape == (len(MLP.batch(0).inputs), 3)
    session.step(MLP.batch(1))
    session.finish()
    assert not [name for name in model.__dict__ if name.startswith("__")]


def test_a_model_around_an_attached_one_is_refused():
    """Finished in another order, the stand-ins of one session stayed in the model for ever."""
    model = Noisy()
    session = Recipe(Dropout(0.2)).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)
    around = nn.Sequential(model)
    with pytest.raises(RecipeError, match="a part of it is attached already"):
        Recipe(Dropout(0.3)).attach(around, torch.optim.SGD(around.parameters(), lr=0.1), loss=MLP.loss)
    session.finish()
    Recipe(Dropout(0.3)).attach(around, torch.optim.SGD(around.parameters(), lr=0.1), loss=MLP.loss).finish()
    assert type(model.layers[1]) is nn.Dropout
