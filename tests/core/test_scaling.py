"""The scale of a loss in half precision: it changes nothing but the scale, and overflows are left out."""

import pytest
import torch
from torch import nn

from temperance import SAM, GradientClipping, Recipe, WeightDecay
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import assert_same, attach, train

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
    assert session.solo.scaling.overflow
    assert scaler.get_scale() == 2.0**9
    assert_same(dict(session.solo.home.clone()), dict(before), "weights after an overflow")
    session.step(batch)
    assert not session.solo.scaling.overflow


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
    assert session.solo.scaling.overflow
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
