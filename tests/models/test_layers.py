from __future__ import annotations

import torch

from temperance.models.layers import Members, Scale


def test_members_equal_single_linear_layers() -> None:
    torch.manual_seed(0)
    layer = Members(4, 5, 2).double()
    shared, banks, own = (torch.randn(g, 3, 5, dtype=torch.float64) for g in (1, 2, 4))
    for i in range(4):
        weight, bias = layer.weight[i] / 5**0.5, 0.1 * layer.bias[i]
        torch.testing.assert_close(layer(shared)[i], shared[0] @ weight + bias)
        torch.testing.assert_close(layer(banks)[i], banks[i // 2] @ weight + bias)
        torch.testing.assert_close(layer(own)[i], own[i] @ weight + bias)


def test_members_share_nothing() -> None:
    layer = Members(3, 5, 2)
    layer(torch.randn(1, 4, 5))[1].sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad[1].abs().sum() > 0
    assert layer.weight.grad[[0, 2]].abs().sum() == 0


def test_scale_starts_as_the_identity_and_moves_faster() -> None:
    scale = Scale(2, 3, rate=6.0)
    features = torch.randn(2, 4, 3)
    torch.testing.assert_close(scale(features), features)
    with torch.no_grad():
        scale.factor += 0.1
    torch.testing.assert_close(scale(features), features * 1.6)
