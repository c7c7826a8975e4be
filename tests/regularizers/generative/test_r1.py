"""The slope of a discriminator at real rows."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import R1, Recipe, compile_recipe
from temperance.core.batch import Batch
from temperance.core.optimizers import SGD
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.generative.r1 import r1_penalty


def loss(out, y):
    return functional.binary_cross_entropy_with_logits(out.squeeze(1), y, reduction="none")


def critic():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()


def rows(n=8):
    generator = torch.Generator().manual_seed(1)
    return Batch(torch.randn(n, 3, generator=generator).double(), (torch.arange(n) % 2).double())


def by_hand(model, batch, weight, chosen):
    """½ γ mean of the squared norms of rows of the analytic Jacobian w₂ · diag(1 − tanh²) · W₁."""
    hidden = torch.tanh(model[0](batch.inputs))
    slopes = ((1 - hidden**2) * model[2].weight) @ model[0].weight
    return 0.5 * weight * slopes[chosen].square().sum(1).mean()


def attached(one, model):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)


@pytest.mark.parametrize(
    ("which", "chosen"), [("real", slice(1, None, 2)), ("fake", slice(0, None, 2)), ("all", slice(None))]
)
def test_equals_the_analytic_slope_and_its_gradient(which, chosen):
    model, batch = critic(), rows()
    total = attached(R1(4.0, rows=which), model).loss(batch)
    expected = loss(model(batch.inputs), batch.targets).mean() + by_hand(model, batch, 4.0, chosen)
    assert total.item() == pytest.approx(expected.item(), rel=1e-12)
    ours = torch.autograd.grad(total, list(model.parameters()))
    theirs = torch.autograd.grad(expected, list(model.parameters()), allow_unused=True)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_a_linear_discriminator_by_hand():
    model = nn.Linear(2, 1)
    model.weight.data = torch.tensor([[3.0, 4.0]])
    real = torch.randn(5, 2).requires_grad_()
    assert r1_penalty(model(real), real, weight=2.0).item() == pytest.approx(25.0)
    with pytest.raises(SettingError, match="do not require gradients"):
        r1_penalty(model(real), torch.randn(5, 2))


def test_the_pure_step_takes_the_same_gradient():
    batch, model = rows(), critic()
    session = attached(R1(4.0), model)
    step = compile_recipe(Recipe(R1(4.0)), critic(), loss, SGD(0.1))
    state = step.begin()
    for _ in range(3):
        session.step(batch)
        state, _ = step(state, batch)
    for name, value in session.solo.home.items():
        torch.testing.assert_close(state.params[name], value.detach(), rtol=1e-10, atol=1e-12)


def test_a_batch_without_real_rows_is_left_alone():
    model, batch = critic(), rows()._replace(targets=torch.zeros(8).double())
    assert attached(R1(), model).loss(batch).item() == loss(model(batch.inputs), batch.targets).mean().item()


def test_works_in_a_loop_that_owns_its_backward_with_fused_attention():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend, self.head = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 1)

        def forward(self, x):
            return self.head(self.attend(x, x, x, need_weights=False)[0].mean(1))

    torch.manual_seed(0)
    session = attached(R1(), model := Net())
    before = model.head.weight.detach().clone()
    session.loss((torch.randn(6, 3, 4), torch.ones(6))).backward()
    session.update()
    assert not torch.equal(before, model.head.weight)


def test_what_it_cannot_work_on_is_refused():
    with pytest.raises(SettingError, match="rows='some'"):
        R1(rows="some")
    with pytest.raises(SettingError, match="one number per row"):
        attached(R1(), critic()).loss(Batch(rows().inputs, None))
    model = nn.Sequential(nn.Embedding(3, 2), nn.Flatten(), nn.Linear(2, 1))
    with pytest.raises(RecipeError, match="no floating tensor"):
        attached(R1(), model).loss((torch.zeros(4, 1, dtype=torch.long), torch.ones(4)))


def test_rows_count_by_their_weight():
    """Weights were left out: rows of weight 0 were punished like the others."""
    torch.manual_seed(0)
    x, y = torch.randn(5, 3), torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0])[:, None]
    times = torch.tensor([1, 0, 2, 3, 1])

    def gradient(batch):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
        Recipe(R1(1.0)).attach(
            model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.BCEWithLogitsLoss(reduction="none")
        ).step(batch)
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    many = torch.repeat_interleave(torch.arange(5), times)
    torch.testing.assert_close(gradient(Batch(x, y, weight=times.float())), gradient(Batch(x[many], y[many])))
