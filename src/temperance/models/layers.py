"""Linear layers of many members at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Members(nn.Module):
    """A linear layer of k members that share nothing: y_i = x_i W_i / √f + β a_i.

    Weights have unit variance and are divided by √(inputs) in use (neural tangent parametrization), biases move at a
    tenth of the learning rate: one learning rate then suits all widths and input counts.

    Shapes: input (k, b, f), or (g, b, f) where each of g banks is shared by k / g members; output (k, b, o).

    Args:
        members: k.
        inputs: f.
        outputs: o.
        bias: the biases start uniform in ± ``bias``, so that the bends of the units lie spread over the data.
        bias_rate: β.

    Reference: neural tangent parametrization and bias rate: Holzmüller et al. (2024), arXiv 2407.04491;
    packed members: Gorishniy et al. (2025), arXiv 2410.24210.

    """

    def __init__(self, members: int, inputs: int, outputs: int, *, bias: float = 1.0, bias_rate: float = 0.1) -> None:
        super().__init__()
        self.scale, self.bias_rate = 1 / math.sqrt(inputs), bias_rate
        self.weight = nn.Parameter(torch.randn(members, inputs, outputs))
        self.bias = nn.Parameter((torch.rand(members, 1, outputs) * 2 - 1) * (bias / bias_rate))

    def forward(self, features: Tensor) -> Tensor:
        """Return (k, b, o)."""
        weight, bias = self.weight * self.scale, self.bias * self.bias_rate
        members, inputs, outputs = self.weight.shape
        banks, each = features.shape[0], members // features.shape[0]
        if each == 1:
            return torch.baddbmm(bias, features, weight)
        shared = weight.view(banks, each, inputs, outputs).transpose(1, 2).reshape(banks, inputs, each * outputs)
        wide = torch.matmul(features, shared).view(banks, -1, each, outputs)
        return wide.transpose(1, 2).reshape(members, -1, outputs) + bias


class Scale(nn.Module):
    """Multiply each feature by a learned factor that starts at 1 and moves at ``rate`` times the learning rate.

    Weight decay leaves the factors alone.

    Shapes: (g, b, f) → (g, b, f), each bank with factors of its own.
    """

    no_decay = True

    def __init__(self, banks: int, inputs: int, *, rate: float = 6.0) -> None:
        super().__init__()
        self.rate = rate
        self.factor = nn.Parameter(torch.full((banks, 1, inputs), 1 / rate))

    def forward(self, features: Tensor) -> Tensor:
        """Return the scaled features."""
        return features * (self.factor * self.rate)
