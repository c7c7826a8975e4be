from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy as torch_cross_entropy

from temperance.models import combine, cross_entropy, loss_for, squared_error

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
