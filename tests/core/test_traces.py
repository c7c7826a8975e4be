"""What techniques leave in a model: a copy comes out without it, and so does a pickle, wherever in it one begins."""

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
from temperance.core.regularizer import techniques
from temperance.core.traces import (
    add_parameter,
    hold,
    hook_after,
    hook_before,
    is_attached,
    keep_attribute,
    replace_forward,
    together,
)
from temperance.records.errors import RecipeError
from temperance.testing.checks import shape_of
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train


def touched():
    module = nn.Linear(2, 2)
    module.rate = 0.3
    mine = module.register_forward_hook(lambda m, x, out: out + 1)
    undos = [
        hold(module, "strength", torch.ones(())),
        add_parameter(module, "logit", nn.Parameter(torch.ones(()))),
        hook_after(module, lambda m, x, out: out * 5, always=True),
        hook_before(module, lambda m, x: None),
        keep_attribute(module, "rate"),
        replace_forward(module, lambda x: x),
    ]
    module.rate = 0.9
    return module, mine, together(undos)


def test_a_copy_is_the_module_as_it_was():
    module, _, _ = touched()
    twin = copy.deepcopy(nn.Sequential(module))[0]
    assert (dict(twin.named_buffers()), [n for n, _ in twin.named_parameters()]) == ({}, ["weight", "bias"])
    assert twin.rate == 0.3
    assert len(twin._forward_hooks) == 1  # the user's own
    assert len(twin._forward_pre_hooks) == 0
    x = torch.ones(1, 2)
    torch.testing.assert_close(twin(x), nn.functional.linear(x, module.weight, module.bias) + 1)
    assert torch.equal(module(x), (x + 1) * 5)
    assert twin.weight is not module.weight
    assert not any(name in twin.__dict__ for name in ("__deepcopy__", "forward"))


def test_undone_the_module_holds_nothing():
    module, mine, undo = touched()
    undo()
    mine.remove()
    plain = nn.Linear(2, 2)
    plain.rate = 0.3
    assert module.__dict__.keys() == plain.__dict__.keys()
    assert module.rate == 0.3
    assert (len(module._forward_hooks), len(module._buffers), len(module._parameters)) == (0, 0, 2)


def layer_techniques():
    return [one for _, cls in techniques.items() for one in cls.samples() if "rewire" in cls.stages()]


@pytest.mark.parametrize("one", layer_techniques(), ids=repr)
@pytest.mark.parametrize("problem", ["mlp", "transformer", "convnet"])
def test_copies_of_parts_of_an_attached_model_are_plain(one, problem):
    try:
        session = attach(Recipe(one), PROBLEMS[problem])
    except RecipeError as refusal:
        assert type(one).__name__ in str(refusal)  # noqa: PT017 (a refusal names itself)
        return
    fresh = PROBLEMS[problem].model()
    for (name, part), plain in zip(list(session.module.named_children()), fresh.children(), strict=True):
        twin = copy.deepcopy(part)
        assert shape_of(twin) == shape_of(plain), name
        assert [m.__dict__.keys() for m in twin.modules()] == [m.__dict__.keys() for m in plain.modules()]


MLP = PROBLEMS["mlp"]


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


@pytest.mark.parametrize("one", [Dropout(0.5), DropConnect(0.5), SpectralNorm(), EMA(0.9)], ids=repr)
def test_a_pickled_model_is_plain_and_not_attached(one):
    model = Noisy()
    session = Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=MLP.loss)
    session.step(MLP.batch(0))
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    for twin in (pickle.loads(pickle.dumps(model)), torch.load(file, weights_only=False)):
        assert shape_of(twin) == shape_of(Noisy())
        assert not is_attached(twin)
        assert_same(dict(twin.state_dict()), dict(model.state_dict()), "read back")
        Recipe(one).attach(twin, torch.optim.SGD(twin.parameters(), lr=0.1), loss=MLP.loss).finish()
    part = pickle.loads(pickle.dumps(model.layers[1]))
    assert (type(part), part.p, part.training) == (nn.Dropout, 0.3, True)
    session.step(MLP.batch(1))  # the model itself is still attached


class Restless(nn.Linear):
    """A layer whose class says how it is copied."""

    def __deepcopy__(self, memo):
        twin = Restless(self.in_features, self.out_features)
        twin.__dict__.update({name: copy.deepcopy(value, memo) for name, value in self.__dict__.items()})
        twin.copies = 1
        return twin


def test_a_class_that_copies_itself_does_so_without_what_techniques_left():
    layer = Restless(2, 2)
    undo = hook_after(layer, lambda m, x, out: out * 5)
    twin = copy.deepcopy(layer)
    assert twin.copies == 1
    assert len(twin._forward_hooks) == 0
    assert twin.__dict__.keys() == {*nn.Linear(2, 2).__dict__, "copies"}
    undo()


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


class Named(nn.Module):
    """Has attributes that are called as strengths are."""

    def __init__(self):
        super().__init__()
        self.dropout_rate, self.dropout_p, self.gaussian_dropout_rate, self.r_drop_rate = 0.3, 0.2, 0.3, 0.3
        self.layer = nn.Linear(8, 3)
        for name in ("dropconnect_p", "mixout_p", "mixout_start", "concrete_dropout_dr"):
            setattr(self.layer, name, 0.3)

    def forward(self, x):
        return self.layer(nn.functional.dropout(x, self.dropout_rate, self.training))


@pytest.mark.parametrize("name", ["Dropout", "GaussianDropout", "RDrop", "DropConnect", "Mixout", "ConcreteDropout"])
def test_no_name_of_a_buffer_meets_one_of_the_users(name):
    model = Named()
    theirs = set(model.__dict__) | set(model.layer.__dict__)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(techniques[name]()).attach(model, optimizer, loss=nn.functional.cross_entropy)
    buffers = [n.rsplit(".", 1)[-1] for n, _ in model.named_buffers()]
    assert buffers
    assert all(n.startswith(("_temperance_", "temperance_")) for n in buffers)
    session.step((torch.randn(6, 8), torch.arange(6) % 3))
    session.finish()
    assert set(model.__dict__) | set(model.layer.__dict__) == theirs
