"""The solo executor: mixed precision with a scaler, compiled models, gradients that update techniques see."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from temperance import SAM, Dropout, GradientClipping, Recipe, WeightDecay
from temperance.control.strength import Strength
from temperance.core.regularizer import Rank, Regularizer
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, outcome, train

MLP = PROBLEMS["mlp"]


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(SAM(0.1), GradientClipping(0.5), WeightDecay(0.1))], ids=repr)
@pytest.mark.parametrize("own", [False, True], ids=["step", "own backward"])
def test_a_gradient_scaler_changes_nothing_but_the_scale(recipe, own):
    if own and len(recipe):
        recipe = Recipe(GradientClipping(0.5), WeightDecay(0.1))
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
    plain, scaled = attach(recipe, MLP), attach(recipe, MLP, scaler=scaler)
    for number in range(6):
        plain.step(MLP.batch(number))
        if own:
            scaled.optimizer.zero_grad()
            scaler.scale(scaled.loss(MLP.batch(number))).backward()
            scaled.update()
        else:
            scaled.step(MLP.batch(number))
    for a, b in zip(plain.solo.home.tensors, scaled.solo.home.tensors, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    assert scaler.get_scale() == 2.0**12  # grew twice


@pytest.mark.parametrize("recipe", [Recipe(WeightDecay(0.1)), Recipe(SAM(0.1))], ids=repr)
def test_an_overflow_skips_the_update_and_halves_the_scale(recipe):
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    session = attach(recipe, MLP, scaler=scaler)
    before = session.solo.home.clone()
    batch = MLP.batch(0)
    session.step(batch._replace(inputs=batch.inputs * float("inf")))
    assert session.solo.overflow
    assert scaler.get_scale() == 2.0**9
    assert_same(dict(session.solo.home.clone()), dict(before), "weights after an overflow")
    session.step(batch)
    assert not session.solo.overflow


def test_an_overflow_starts_the_count_of_calm_steps_anew():
    """As torch: 2 calm steps, an overflow, 3 calm steps: it grows then, not one step later or earlier."""
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
    session = train(attach(Recipe(), MLP, scaler=scaler), MLP, range(2))
    batch = MLP.batch(2)
    session.step(batch._replace(inputs=batch.inputs * float("inf")))
    scales = []
    for number in range(3, 6):
        session.step(MLP.batch(number))
        scales.append(scaler.get_scale())
    assert scales == [2.0**9, 2.0**9, 2.0**10]


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


def test_a_scaler_that_is_switched_off_is_none():
    """``GradScaler(enabled=use_fp16)`` ended in AttributeError, and NaN went unnoticed beside it."""
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    off, plain = attach(Recipe(GradientClipping(0.5)), MLP, scaler=scaler), attach(Recipe(GradientClipping(0.5)), MLP)
    for session in (off, plain):
        train(session, MLP, range(3))
    assert_same(dict(off.solo.home), dict(plain.solo.home), "weights")
    off.load_state_dict(off.state_dict())
    batch = MLP.batch(0)
    with pytest.raises(RecipeError, match="step 4 is not a finite number"):
        off.step(batch._replace(inputs=batch.inputs * float("nan")))


def test_an_overflow_of_a_parameter_that_is_not_the_models_skips_the_update_too():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.t = nn.Parameter(torch.ones(()))

        def forward(self, out, y):
            return MLP.loss(out * self.t, y)

    model, loss = MLP.model(), Scaled()
    optimizer = torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    with pytest.warns(UserWarning, match="not the model's"):
        session = Recipe().attach(model, optimizer, loss=loss, scaler=scaler)
    loss.t.register_hook(lambda g: g * float("inf"))
    session.step(MLP.batch(0))
    assert session.solo.overflow
    assert loss.t.item() == 1.0
    assert scaler.get_scale() == 2.0**9


@pytest.mark.parametrize("nan", ["raise", "skip", "ignore"])
def test_what_no_scale_mends_is_no_overflow(nan):
    """NaN in the rows halved the scale for ever, and nobody was told."""
    session = attach(Recipe(), MLP, scaler=torch.amp.GradScaler("cpu", init_scale=2.0**-8), nan=nan)
    batch = MLP.batch(0)
    bad = batch._replace(inputs=batch.inputs * float("nan"))
    for _ in range(2):
        session.step(bad)
    if nan == "raise":
        with pytest.raises(RecipeError, match="the inputs of the batch hold NaN"):
            session.step(bad)
    elif nan == "skip":
        with pytest.warns(UserWarning, match="step 3 is left out"):
            session.step(bad)
    else:
        session.step(bad)
