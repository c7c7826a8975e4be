"""Micro-batches make the big batch, also where the user's loss divides by something else than techniques do."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import temperance as t
from temperance.core.batch import Batch
from temperance.core.criterion import Criterion
from temperance.core.micros import Micros

WEIGHTED = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 8.0, 0.3], dtype=torch.float64))
TERMS = (
    t.LabelSmoothing(0.2), t.ConfidencePenalty(0.1), t.MaxSup(0.2), t.SymmetricCrossEntropy(), t.OnlineLabelSmoothing(),
    t.EarlyLearning(), t.SelfDistillation(), t.InputGradientPenalty(0.1), t.JacobianPenalty(0.1, projections=-1),
    t.KLAnchor(1.0), t.R1(0.1), t.WeightDecay(0.1),
)  # fmt: skip
OF_PIXELS = (*TERMS[:3], t.JacobianPenalty(0.1, projections=-1), t.InputGradientPenalty(0.1))


def weights_after(one, loss, batch, steps=3):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = t.Recipe(one).attach(model, optimizer, loss=loss, epochs=2, steps_per_epoch=4)
    for _ in range(steps):
        session.step(batch)
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def rows():
    torch.manual_seed(1)
    return torch.randn(12, 5).double(), torch.tensor([1, 0, 0, 0, 2, 2, 0, 2, 1, 1, 1, 2]), torch.arange(12)


@pytest.mark.parametrize("one", TERMS, ids=lambda one: type(one).__name__)
def test_terms_beside_class_weights_make_those_of_the_big_batch(one):
    """Their means over rows were weighed by the classes of the micro-batch: up to .065 away after three steps."""
    x, y, index = rows()
    parts = [Batch(x[at], y[at], index=index[at]) for at in (slice(0, 3), slice(3, 7), slice(7, 12))]
    whole = weights_after(one, WEIGHTED, Batch(x, y, index=index))
    torch.testing.assert_close(weights_after(one, WEIGHTED, parts), whole, rtol=0, atol=1e-12)


def of_rows(out, y):
    """One number per row: the mean over its pixels that count."""
    return F.cross_entropy(out, y, reduction="none").sum((1, 2)) / (y >= 0).sum((1, 2))


@pytest.mark.parametrize("one", OF_PIXELS, ids=lambda one: type(one).__name__)
def test_terms_over_places_beside_a_loss_per_row(one):
    """The loss counts rows, the term counts pixels."""
    torch.manual_seed(1)
    x, y = torch.randn(6, 5, 2, 2).double(), torch.randint(0, 3, (6, 2, 2))
    y[0, 1:], y[1, 1:], y[5, 0, 0] = -100, -100, -100
    grads = []
    for batch in ((x, y), [(x[:2], y[:2]), (x[2:], y[2:])]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(5, 8, 1), nn.Tanh(), nn.Conv2d(8, 3, 1)).double()
        t.Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=of_rows).step(batch)
        grads.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    torch.testing.assert_close(*grads, rtol=0, atol=1e-12)


def test_points_between_real_and_generated_rows_count_as_they_are():
    x, y, _ = rows()
    y = (y > 0).double()[:, None]
    model = nn.Linear(5, 1).double()  # its slope is the same everywhere, wherever the points lie
    grads = []
    for batch in ((x, y), [(x[:3], y[:3]), (x[3:], y[3:])]):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        model.train()
        session = t.Recipe(t.GradientPenalty(0.5)).attach(model, optimizer, loss=F.mse_loss)
        session.step(batch)
        grads.append(model.weight.grad.clone())
        session.finish()
    torch.testing.assert_close(*grads, rtol=0, atol=1e-12)


def test_where_both_divide_by_the_same_nothing_is_multiplied():
    x, y, _ = rows()
    micros = Micros([Batch(x[:5], y[:5]), Batch(x[5:], y[5:])], Criterion(F.cross_entropy, nn.Linear(5, 3)))
    assert micros.factor(0) is None
    assert micros.shares == [pytest.approx(5 / 12), pytest.approx(7 / 12)]
    assert float(micros.factor(1, lambda batch: 1)) == pytest.approx(0.5 / (7 / 12))
