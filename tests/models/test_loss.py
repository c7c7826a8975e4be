from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy as torch_cross_entropy

from temperance.models import combine, cross_entropy, loss_for, squared_error
from temperance.models.loss import cumulative_cross_entropy, poisson_loss

KEY = torch.Generator().manual_seed(0)


def test_the_loss_is_the_mean_of_the_members_own_losses() -> None:
    outputs, targets = torch.randn(7, 4, 3, generator=KEY), torch.tensor([0, 1, 2, 0, 1, 2, 0])
    each = [torch_cross_entropy(outputs[:, i], targets, reduction="none") for i in range(4)]
    torch.testing.assert_close(cross_entropy(outputs, targets), torch.stack(each).mean(0))


def test_one_member_equals_a_net_without_members() -> None:
    outputs, targets = torch.randn(5, 3, generator=KEY), torch.tensor([0, 1, 2, 0, 1])
    torch.testing.assert_close(cross_entropy(outputs, targets), cross_entropy(outputs[:, None], targets))
    torch.testing.assert_close(cross_entropy(outputs, targets), torch_cross_entropy(outputs, targets, reduction="none"))


def test_soft_targets() -> None:
    outputs, shares = torch.randn(5, 2, 3, generator=KEY), torch.rand(5, 3, generator=KEY).softmax(-1)
    logits = outputs.numpy()
    expected = -(shares.numpy()[:, None] * np.log(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))).sum(-1)
    torch.testing.assert_close(cross_entropy(outputs, shares), torch.as_tensor(expected).mean(1))


def test_squared_error_and_combination_by_hand() -> None:
    outputs = torch.tensor([[[1.0], [3.0]]])
    assert squared_error(outputs, torch.tensor([2.0])).tolist() == [1.0]
    assert squared_error(outputs[:, 0], torch.tensor([3.0])).tolist() == [4.0]
    assert combine(outputs, task="regression").tolist() == [2.0]
    assert combine(outputs[:, 0], task="regression").tolist() == [1.0]


def test_combined_probabilities_are_the_mean_of_the_members() -> None:
    outputs = torch.log(torch.tensor([[[0.2, 0.8], [0.6, 0.4]]]))
    torch.testing.assert_close(combine(outputs, task="binary"), torch.tensor([[0.4, 0.6]]))
    torch.testing.assert_close(combine(outputs[:, 0], task="binary"), torch.tensor([[0.2, 0.8]]))
    hot = combine(outputs[:, 0], task="binary", temperature=2.0)
    assert 0.2 < hot[0, 0] < 0.5


@pytest.mark.parametrize(
    ("task", "loss"), [("binary", cross_entropy), ("multiclass", cross_entropy), ("regression", squared_error)]
)
def test_each_task_has_its_loss(task: str, loss: object) -> None:
    assert loss_for(task) is loss  # type: ignore[arg-type]


def test_of_two_classes_the_cumulative_loss_is_the_cross_entropy():
    outputs, targets = torch.randn(6, 2, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 1, 0, 0, 1])
    torch.testing.assert_close(cumulative_cross_entropy(outputs, targets), cross_entropy(outputs, targets))


def test_a_far_level_costs_more_than_a_near_one():
    sure = torch.tensor([[8.0, 0.0, 0.0, 0.0]]).expand(4, 4)
    found = cumulative_cross_entropy(sure, torch.arange(4))
    assert (found.diff() > 1).all()
    plain = cross_entropy(sure, torch.arange(4))
    assert float(plain[1]) == pytest.approx(float(plain[3]))


def test_the_cumulative_loss_is_least_at_the_true_chances():
    truth = torch.tensor([[0.1, 0.2, 0.4, 0.3]])
    logits = torch.zeros(1, 4, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200)

    def step():
        optimizer.zero_grad()
        loss = cumulative_cross_entropy(logits, truth).sum()
        loss.backward()
        return loss

    optimizer.step(step)
    torch.testing.assert_close(torch.softmax(logits, -1), truth, atol=1e-3, rtol=0)


def test_members_and_left_out_rows_are_read_as_by_the_cross_entropy():
    outputs = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([0, 3, 1, 2, 2])
    alone = torch.stack([cumulative_cross_entropy(outputs[:, j], targets) for j in range(3)], dim=1)
    torch.testing.assert_close(cumulative_cross_entropy(outputs, targets), alone.mean(dim=1))
    own = targets.unsqueeze(1).repeat(1, 3)
    own[0, 1] = -1
    found = cumulative_cross_entropy(outputs, own)
    torch.testing.assert_close(found[1:], alone.mean(dim=1)[1:])
    torch.testing.assert_close(found[0], alone[0, [0, 2]].mean())
    assert loss_for("multiclass", ordered=True) is cumulative_cross_entropy
    assert loss_for("multiclass") is cross_entropy


def test_the_poisson_loss_is_torchs_and_forgets_the_unit():
    z, y = torch.randn(6, 1, generator=torch.Generator().manual_seed(2)), torch.tensor([0.0, 3, 1, 7, 0, 2])
    expected = torch.nn.functional.poisson_nll_loss(z.squeeze(-1), y, reduction="none")
    torch.testing.assert_close(poisson_loss(z, y), expected)
    mean = 4.0
    scaled = mean * poisson_loss(z - math.log(mean), y / mean)
    torch.testing.assert_close(scaled - poisson_loss(z, y), y * math.log(mean), atol=1e-4, rtol=0)


def test_members_of_a_count_are_averaged_and_missing_ones_left_out():
    z = torch.randn(4, 3, 1, generator=torch.Generator().manual_seed(3))
    y = torch.tensor([0.0, 1, 2, 5])
    alone = torch.stack([poisson_loss(z[:, j], y) for j in range(3)], dim=1)
    torch.testing.assert_close(poisson_loss(z, y), alone.mean(dim=1))
    own = y.unsqueeze(1).repeat(1, 3)
    own[2, 0] = torch.nan
    torch.testing.assert_close(poisson_loss(z, own)[2], alone[2, 1:].mean())


def test_log_means_become_means_and_never_run_away():
    z = torch.tensor([[0.0], [2.0], [60.0]])
    found = combine(z, task="regression", counts=True)
    torch.testing.assert_close(found[:2], torch.exp(z[:2, 0]))
    assert float(found[2]) == pytest.approx(math.exp(6) * 55, rel=1e-5)
    assert loss_for("regression", counts=True) is poisson_loss
