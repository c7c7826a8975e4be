"""A technique that replaces the cross-entropy gives the same loss and slope whether or not it knows the user's loss."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import AdaFocal, ConfidencePenalty, Focal, GeneralizedCrossEntropy, MixUp, OnlineLabelSmoothing, Recipe
from temperance.core.batch import ANSWERS_ONLY, Batch, Pass
from temperance.core.objective import PlainObjective, is_cross_entropy, without_cross_entropy

REPLACING = [
    Focal(), Focal(by="flsd53"), AdaFocal(), GeneralizedCrossEntropy(), GeneralizedCrossEntropy(cut=0.3),
    ConfidencePenalty(), OnlineLabelSmoothing(every=2),
]  # fmt: skip


def unknown(outputs, targets):
    return functional.cross_entropy(outputs, targets)


def run(one, loss, batch):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 4)).double()
    session = Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss, seed=1)
    losses = [float(session.step(batch).loss.detach()) for _ in range(3)]
    return losses, model[0].weight.detach().clone()


def rows(**named):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 5, generator=generator).double()
    return Batch(x, torch.randint(0, 4, (12,), generator=generator), index=torch.arange(12), **named)


@pytest.mark.parametrize("one", REPLACING, ids=repr)
@pytest.mark.parametrize("loss", [functional.cross_entropy, nn.CrossEntropyLoss()], ids=["function", "module"])
def test_the_known_loss_changes_nothing(one, loss) -> None:
    ours, theirs = run(one, loss, rows()), run(one, unknown, rows())
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("one", [Focal(), GeneralizedCrossEntropy(), ConfidencePenalty()], ids=repr)
def test_weights_of_rows_count(one) -> None:
    weight = torch.linspace(0, 1, 12).double()
    batch = rows(weight=weight)
    ours = run(one, nn.CrossEntropyLoss(reduction="none"), batch)
    theirs = run(one, lambda out, y: functional.cross_entropy(out, y, reduction="none"), batch)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)


def test_beside_mixing_the_user_s_loss_is_used() -> None:
    from temperance.core.session import Session

    seen = []

    class Spy(nn.CrossEntropyLoss):
        def forward(self, outputs, targets):
            seen.append(1)
            return super().forward(outputs, targets)

    assert not is_cross_entropy(Spy())
    torch.manual_seed(0)
    for loss in (functional.cross_entropy, Spy()):
        model = nn.Sequential(nn.Linear(5, 4)).double()
        recipe = Recipe(ConfidencePenalty(), MixUp(1.0))
        session = Session(recipe, model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)
        assert torch.isfinite(session.step(rows()).loss)
    assert seen


@pytest.mark.parametrize(
    ("loss", "known"),
    [
        (functional.cross_entropy, True),
        (nn.CrossEntropyLoss(), True),
        (nn.CrossEntropyLoss(reduction="none"), True),
        (nn.CrossEntropyLoss(reduction="sum"), False),
        (nn.CrossEntropyLoss(label_smoothing=0.1), False),
        (nn.CrossEntropyLoss(weight=torch.ones(4)), False),
        (nn.CrossEntropyLoss(ignore_index=0), False),
        (functional.nll_loss, False),
        (unknown, False),
    ],
)
def test_only_the_plain_one_is_known(loss, known) -> None:
    assert is_cross_entropy(loss) is known


def plain(outputs):
    """Return an objective that gives these outputs, and what it was asked for."""
    asked = []

    def objective(params, buffers, batch, key):
        asked.append(batch.targets)
        return Pass(torch.zeros(()), outputs, {}, {}, {}, batch)

    return PlainObjective(objective, functional.cross_entropy), asked


def test_the_loss_is_left_out_only_for_one_answer_per_row() -> None:
    batch = rows()
    inner, asked = plain(torch.zeros(12, 4))
    passed, alone = without_cross_entropy(inner, {}, {}, batch, 0)
    assert alone
    assert asked == [ANSWERS_ONLY]
    assert passed.batch is batch
    deep, _ = plain(torch.zeros(12, 4, 3))
    with pytest.raises((RuntimeError, ValueError)):  # the user's own loss speaks where it does not fit
        without_cross_entropy(deep, {}, {}, batch, 0)
    soft = replace_targets(batch, torch.full((12, 4), 0.25).double())
    inner, asked = plain(torch.zeros(12, 4).double())
    assert not without_cross_entropy(inner, {}, {}, soft, 0)[1]
    assert asked == [soft.targets]


def replace_targets(batch, targets):
    return batch._replace(targets=targets)
