from __future__ import annotations

import torch
from torch import nn

from temperance.models import ModelInfo, build


def test_it_is_the_plain_net() -> None:
    info = ModelInfo(4, (3,), 2, "binary")
    net = build("plain", info, 0)
    linear = [m for m in net.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(6, 256), (256, 256), (256, 256), (256, 2)]
    numbers, codes = torch.randn(3, 4), torch.tensor([[0], [1], [2]])
    by_hand = torch.cat([numbers, torch.eye(3)[:, 1:]], dim=1)
    for layer in linear[:-1]:
        by_hand = torch.relu(by_hand @ layer.weight.T + layer.bias)
    torch.testing.assert_close(net(numbers, codes), by_hand @ linear[-1].weight.T + linear[-1].bias)


def test_width_depth_and_dropout_are_settings() -> None:
    net = build("plain", ModelInfo(4, (), 1, "regression"), 0, width=8, depth=1, dropout=0.3)
    assert sum(p.numel() for p in net.parameters()) == 4 * 8 + 8 + 8 + 1
    assert [m.p for m in net.modules() if isinstance(m, nn.Dropout)] == [0.3]
