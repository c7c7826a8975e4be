"""What an optimizer holds."""

import timeit

import pytest
import torch
from torch import nn

import temperance as t
from temperance import EMA, SAM, GradientClipping, Recipe, StableDecay, WeightDecay
from temperance.core.holdings import Holdings, check_optimizer, require_sync
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS

MLP = PROBLEMS["mlp"]


def test_parameters_are_sorted_by_what_a_session_does_with_them():
    model, loss = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), nn.Linear(1, 1)
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD([*model[0].parameters(), model[1].weight, *loss.parameters()], lr=0.1)
    holdings = Holdings(optimizer, model, list(model[1].parameters()))
    assert holdings.mask == [True, False]
    assert [id(p) for p in holdings.foreign] == [id(p) for p in (*model[0].parameters(), *loss.parameters())]
    assert holdings.elsewhere == 2
    assert not holdings.grew()
    model[0].bias.requires_grad_(True)
    assert holdings.grew()


def test_asking_costs_next_to_nothing():
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(50)])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    holdings = Holdings(optimizer, model, list(model.parameters()))
    assert min(timeit.repeat(holdings.grew, number=1000, repeat=5)) / 1000 < 5e-6


@pytest.mark.parametrize("one", [GradientClipping(1.0), SAM(0.1), StableDecay(0.1)], ids=lambda one: type(one).__name__)
def test_sparse_embeddings_are_refused_by_name(one):
    model = nn.Sequential(nn.Embedding(5, 4, sparse=True), nn.Flatten(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match=f"{type(one).__name__} and the layer '0', whose gradients are sparse"):
        Recipe(one).attach(model, optimizer, loss=MLP.loss)
    session = Recipe(WeightDecay(0.1), EMA(0.9)).attach(model, optimizer, loss=MLP.loss, nan="skip")
    ids, labels = torch.randint(0, 5, (6, 2)), torch.zeros(6, dtype=torch.int64)
    for _ in range(2):
        session.step((ids, labels))
        session.validate([(ids, labels)])
    session.finish()


def test_prepared_optimizers_of_accelerate_are_looked_into():
    class Prepared:
        def __init__(self, optimizer, scaler=None):
            self.optimizer, self.scaler, self.param_groups = optimizer, scaler, optimizer.param_groups

    model = nn.Linear(2, 1)
    with pytest.raises(RecipeError, match="LBFGS"):
        check_optimizer(Prepared(torch.optim.LBFGS(model.parameters())), model)
    with pytest.raises(RecipeError, match="its step unscales"):
        check_optimizer(Prepared(torch.optim.SGD(model.parameters()), torch.amp.GradScaler("cpu")), model)


def test_a_step_that_would_be_left_out_is_refused():
    class Gate:
        sync_gradients = False

    with pytest.raises(RecipeError, match="waits for more micro-batches"):
        require_sync(Gate())
    Gate.sync_gradients = True
    assert require_sync(Gate()) is None


def test_what_is_no_optimizer_is_refused_in_words():
    with pytest.raises(SettingError, match=r"optimizer=Linear\(.* of type Linear.*torch\.optim optimizer"):
        Recipe(EMA(0.9)).attach(nn.Linear(2, 2), nn.Linear(2, 2), loss=MLP.loss)


def test_weights_without_a_shape_are_refused():
    model = nn.Sequential(nn.LazyLinear(8), nn.Linear(8, 3))
    with pytest.raises(RecipeError, match=r"0\.weight has no shape yet.*Run one batch through the model first"):
        t.Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.functional.cross_entropy)


@pytest.mark.parametrize("one", [t.L2(0.01), t.GSAM(), t.GradientClipping(1.0)], ids=lambda one: type(one).__name__)
def test_complex_weights_are_refused_by_who_cannot(one):
    model = nn.Linear(4, 3, dtype=torch.complex64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match=f"{type(one).__name__} and the weight 'weight', which is complex"):
        t.Recipe(one).attach(model, optimizer, loss=lambda out, y: (out - y).abs().mean())
    t.Recipe(t.EMA(0.9)).attach(model, optimizer, loss=lambda out, y: (out - y).abs().mean())
    assert t.Recipe(one).by_address
