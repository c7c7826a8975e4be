"""The slope of a critic between real and generated rows."""

import pytest
import torch
from torch import nn

from temperance import FGSMTraining, GradientPenalty, MixUp, OnlineLabelSmoothing, Recipe, compile_recipe
from temperance.core.batch import Batch
from temperance.core.optimizers import SGD
from temperance.core.random import fold
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.generative.gradient_penalty import between_rows, excess, gradient_penalty


def loss(out, y):
    return (1 - 2 * y) * out.squeeze(1)  # Wasserstein: −D(real), +D(fake)


def linear(*weights):
    model = nn.Linear(len(weights), 1).double()
    model.weight.data = torch.tensor([weights], dtype=torch.float64)
    return model


def rows(n=8):
    generator = torch.Generator().manual_seed(1)
    return Batch(torch.randn(n, 2, generator=generator).double(), (torch.arange(n) % 2).double())


def attached(one, model):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)


def test_a_linear_critic_by_hand():
    model, batch = linear(3.0, 4.0), rows()  # slope 5 everywhere: (5 − 1)² = 16
    plain = loss(model(batch.inputs), batch.targets).mean().item()
    assert attached(GradientPenalty(2.0), model).loss(batch).item() == pytest.approx(plain + 32.0)
    real, fake = batch.inputs[1::2], batch.inputs[0::2]
    assert gradient_penalty(model, real, fake, key=3, weight=2.0).item() == pytest.approx(32.0)
    flat = linear(0.3, 0.4)  # slope ½: punished by ¼, but not where only one side is
    assert gradient_penalty(flat, real, fake, key=3, weight=1.0).item() == pytest.approx(0.25)
    assert gradient_penalty(flat, real, fake, key=3, weight=1.0, one_sided=True).item() == 0.0


def test_equals_the_plain_formula_at_the_same_points():
    torch.manual_seed(0)
    model, batch = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1)).double(), rows()
    session = attached(GradientPenalty(10.0), model)
    total = session.loss(batch)
    at = between_rows(batch, fold(fold(0, 0), "gradient_penalty")).inputs
    hidden = torch.tanh(model[0](at))
    norms = (((1 - hidden**2) * model[2].weight) @ model[0].weight).norm(dim=1)
    expected = loss(model(batch.inputs), batch.targets).mean() + 10 * (norms - 1).square().mean()
    assert total.item() == pytest.approx(expected.item(), rel=1e-9)
    for a, b in zip(
        torch.autograd.grad(total, list(model.parameters())),
        torch.autograd.grad(expected, list(model.parameters()), allow_unused=True),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def test_points_lie_on_the_lines_between_pairs():
    batch = Batch({"x": rows().inputs, "kind": torch.arange(8)}, rows().targets, index=torch.arange(8))
    got = between_rows(batch, 5)
    real, fake = batch.inputs["x"][1::2], batch.inputs["x"][0::2]
    share = (got.inputs["x"] - fake) / (real - fake)
    assert torch.allclose(share[:, :1], share)
    assert bool(((share > 0) & (share < 1)).all())
    assert len(set(share[:, 0].tolist())) == 4
    assert got.inputs["kind"].tolist() == got.index.tolist() == [1, 3, 5, 7]


def test_running_statistics_see_the_batch_once():
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()
    attached(GradientPenalty(), model).loss(rows())
    assert int(model[1].num_batches_tracked) == 1


def test_the_pure_step_takes_the_same_gradient():
    batch, model = rows(), linear(1.5, -2.0)
    session = attached(GradientPenalty(1.0), model)
    step = compile_recipe(Recipe(GradientPenalty(1.0)), linear(1.5, -2.0), loss, SGD(0.1))
    state = step.begin()
    state.params["bias"].copy_(model.bias.detach())
    for _ in range(3):
        session.step(batch)
        state, _ = step(state, batch)
    for name, value in session.solo.home.items():
        torch.testing.assert_close(state.params[name], value.detach(), rtol=1e-9, atol=1e-12)


def test_a_flat_critic_has_a_finite_gradient():
    grad = torch.zeros(3, 2, requires_grad=True)
    (back,) = torch.autograd.grad(excess([grad]), grad)
    assert bool(torch.isfinite(back).all())


def test_batches_of_one_kind_are_refused():
    one_kind = rows()._replace(targets=torch.ones(8).double())
    with pytest.raises(RecipeError, match="8 real and 0 generated"):
        attached(GradientPenalty(), linear(1.0, 1.0)).loss(one_kind)
    with pytest.raises(SettingError, match="one number per row"):
        attached(GradientPenalty(), linear(1.0, 1.0)).loss(Batch(rows().inputs, None))


@pytest.mark.parametrize(
    "other", [MixUp(), OnlineLabelSmoothing(every=9), FGSMTraining()], ids=lambda one: type(one).__name__
)
def test_its_points_are_no_rows_to_mix_to_smooth_or_to_attack(other):
    """They have no targets; such recipes ended in a raw error."""
    torch.manual_seed(0)
    model = nn.Linear(5, 2)
    grads = []
    for recipe in (Recipe(GradientPenalty(1.0), other), Recipe(other)):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        session = recipe.attach(model.train(), optimizer, loss=nn.functional.cross_entropy)
        session.step((torch.linspace(-1, 1, 40).reshape(8, 5), torch.arange(8) % 2))
        grads.append(model.weight.grad.clone())
        session.finish()
    slope = model.weight.detach().sum(0)  # of the sum of the outputs, the same at every point
    term = 2 * (1 - 1 / slope.norm()) * slope
    torch.testing.assert_close(grads[0] - grads[1], term.expand(2, 5), rtol=1e-4, atol=1e-6)
