"""The solo executor: mixed precision with a scaler, compiled models, gradients that update techniques see."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from temperance import SAM, Dropout, Recipe, WeightDecay
from temperance.control.strength import Strength
from temperance.core.regularizer import Rank, Regularizer
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train

MLP = PROBLEMS["mlp"]


def test_techniques_of_the_update_see_gradients():
    seen = []

    @dataclass(frozen=True, repr=False)
    class Look(Regularizer):
        """Look at the gradients."""

        rank: ClassVar[Rank] = Rank.DECAY
        strengths: ClassVar[dict[str, Strength]] = {}

        def update(self, inner, strengths, memory):
            def step(params, grads, rate):
                seen.append({name: g.clone() for name, g in grads.items()})
                return inner(params, grads, rate)

            return step

    session = attach(Recipe(Look()), MLP)
    batch = MLP.batch(0)
    loss = MLP.loss(session.model(batch.inputs), batch.targets).mean()
    expected = torch.autograd.grad(loss, list(session.model.parameters()))
    session.step(batch)
    for ours, theirs in zip(seen[0].values(), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_rates_by_group_reach_each_leaf():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    groups = [{"params": model[1].parameters(), "lr": 0.01}, {"params": model[0].parameters(), "lr": 0.1}]
    session = Recipe().attach(model, torch.optim.SGD(groups), loss=MLP.loss)
    assert session.solo.rate() == [0.1, 0.01]
    session.optimizer.param_groups[0]["lr"] = 0.1
    assert session.solo.rate() == 0.1


def test_elsewhere_is_exact_and_comes_back_even_after_an_error():
    session = attach(Recipe(), PROBLEMS["convnet"])
    batch = PROBLEMS["convnet"].batch(0)
    before = outcome(session)
    other = session.solo.home.clone().mul_(2.0)
    with session.solo.at(other, keep_statistics=True):
        assert torch.equal(next(session.model.parameters()), other.tensors[0])
        session.model(batch.inputs)
    assert_same(outcome(session), before, "after a look elsewhere")
    with pytest.raises(ZeroDivisionError), session.solo.at(other):
        raise ZeroDivisionError
    assert_same(outcome(session), before, "after an error elsewhere")


def test_plain_gradient_and_losses_leave_everything_alone():
    session = train(attach(Recipe(Dropout(0.5)), MLP), MLP, range(2))
    before, grads = outcome(session), [p.grad.clone() for p in session.model.parameters()]
    batch = MLP.batch(5)
    one, two = session.solo.plain_gradient(batch), session.solo.plain_gradient(batch)
    assert_same(dict(one), dict(two), "plain gradient draws noise")
    assert session.solo.losses(batch, session.served).shape == (12,)
    assert_same(outcome(session), before, "weights")
    assert all(torch.equal(p.grad, g) for p, g in zip(session.model.parameters(), grads, strict=True))
    assert session.model.training


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # dynamo warns about its own looking at .grad
def test_moving_a_strength_does_not_recompile_the_model():
    import torch._dynamo.testing

    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounter()
    model = torch.compile(MLP.model().train(), backend=counter)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    session = Recipe(Dropout(0.1), WeightDecay(0.1), SAM(0.1)).attach(model, optimizer, loss=MLP.loss)
    session.step(MLP.batch(0))
    session.step(MLP.batch(1))
    compiled = counter.frame_count
    for i in range(12):
        session.set_strength("dropout.p", 0.05 * (i + 1))
        session.set_strength("sam.rho", 0.01 * (i + 1))
        session.step(MLP.batch(i))
    assert compiled > 0
    assert counter.frame_count == compiled
    session.finish()
    Recipe().attach(model, optimizer, loss=MLP.loss)


def test_a_loss_that_nobody_updates_on_keeps_no_graph():
    session = attach(Recipe(), MLP)
    assert session.loss(MLP.batch(0)).requires_grad
    [(kept, _)] = session.solo.pending
    assert not kept.loss.requires_grad
    assert not kept.outputs.requires_grad
