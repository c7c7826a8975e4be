"""Label smoothing against torch's own."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from temperance import LabelSmoothing, MixUp, Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.targets.label_smoothing import uniform_loss
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

MLP = PROBLEMS["mlp"]


def test_equals_torchs_label_smoothing_in_value_and_gradient():
    session = attach(Recipe(LabelSmoothing(0.2)), MLP, dtype=torch.float64)
    batch = MLP.batch(0, torch.float64)
    loss = session.loss(batch)
    reference = functional.cross_entropy(session.model(batch.inputs), batch.targets, label_smoothing=0.2)
    assert loss.item() == pytest.approx(reference.item(), rel=1e-12)
    params = list(session.model.parameters())
    for a, b in zip(torch.autograd.grad(loss, params), torch.autograd.grad(reference, params), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_equals_torchs_label_smoothing_for_pictures_of_classes():
    logits, targets = torch.randn(2, 4, 3, 5), torch.randint(0, 4, (2, 3, 5))
    ours = 0.9 * functional.cross_entropy(logits, targets) + 0.1 * uniform_loss(logits).mean()
    torch.testing.assert_close(ours, functional.cross_entropy(logits, targets, label_smoothing=0.1))


def test_the_identity_with_the_mean_logit():
    """LS(ε) = CE + ε·(z_y − mean z)."""
    z = np.array([[2.0, -1.0, 0.5]])
    ce = np.log(np.exp(z).sum()) - z[0, 0]
    expected = ce + 0.1 * (z[0, 0] - z.mean())
    logits = torch.tensor(z)
    got = 0.9 * functional.cross_entropy(logits, torch.tensor([0])) + 0.1 * uniform_loss(logits).mean()
    assert got.item() == pytest.approx(expected, rel=1e-12)


def test_a_hand_computed_case():
    """Equal logits: every cross-entropy is log 2, so smoothing changes nothing."""
    model = torch.nn.Linear(1, 2)
    model.weight.data.zero_(), model.bias.data.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(LabelSmoothing(0.3)).attach(model, optimizer, loss=functional.cross_entropy)
    loss = session.loss((torch.ones(4, 1), torch.zeros(4, dtype=torch.int64)))
    assert loss.item() == pytest.approx(np.log(2))


def test_it_acts_on_each_part_of_mixed_targets():
    session = attach(Recipe(LabelSmoothing(0.2), MixUp(1.0)), MLP, dtype=torch.float64)
    mixed_only = attach(Recipe(MixUp(1.0)), MLP, dtype=torch.float64)
    batch = MLP.batch(0, torch.float64)
    seen = {}
    hook = mixed_only.model.register_forward_hook(lambda _, __, out: seen.update(out=out))
    plain = mixed_only.loss(batch)
    hook.remove()
    expected = 0.8 * plain + 0.2 * uniform_loss(seen["out"]).mean()
    assert session.loss(batch).item() == pytest.approx(expected.item(), rel=1e-12)


def test_weights_of_rows_count():
    session = attach(Recipe(LabelSmoothing(0.2)), MLP, dtype=torch.float64)
    batch = MLP.batch(0, torch.float64)
    weight = torch.rand(12, dtype=torch.float64)
    rows = functional.cross_entropy(session.model(batch.inputs), batch.targets, label_smoothing=0.2, reduction="none")
    got = session.loss(batch._replace(weight=weight))
    assert got.item() == pytest.approx(((rows * weight).sum() / weight.sum()).item(), rel=1e-12)


def test_wrong_uses_are_refused():
    for out in (torch.zeros(3), torch.zeros(3, 1), (torch.zeros(3, 2),)):
        with pytest.raises(RecipeError, match="LabelSmoothing needs"):
            uniform_loss(out)
    with pytest.raises(SettingError, match=r"eps=0\.6"):
        LabelSmoothing(0.6)
