"""Linear layers of many members at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Members(nn.Module):
    """A linear layer of k members that share nothing: y_i = x_i W_i / √f + β a_i.

    Weights have unit variance and are divided by √(inputs) in use (neural tangent parametrization), biases move at a
    tenth of the learning rate: one learning rate then suits all widths and input counts.

    Shapes: input (b, f) shared by all members, or (k, b, f); output (k, b, o).

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
        if features.ndim == 3:
            return torch.baddbmm(bias, features, weight)
        members, inputs, outputs = self.weight.shape
        wide = torch.matmul(features, weight.transpose(0, 1).reshape(inputs, members * outputs))
        return wide.view(-1, members, outputs).transpose(0, 1) + bias


class Scale(nn.Module):
    """Multiply each feature by a learned factor that starts at 1 and moves at ``rate`` times the learning rate.

    Shapes: (b, f) → (b, f).
    """

    def __init__(self, inputs: int, *, rate: float = 6.0) -> None:
        super().__init__()
        self.rate = rate
        self.factor = nn.Parameter(torch.full((inputs,), 1 / rate))

    def forward(self, features: Tensor) -> Tensor:
        """Return the scaled features."""
        return features * (self.factor * self.rate)
