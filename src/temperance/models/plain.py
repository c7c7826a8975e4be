"""The net that everyone would write first: the yardstick for what the default net and regularization buy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from temperance.models.base import ARCHITECTURES, Architecture, ModelInfo
from temperance.models.embeddings import TableInputs


class PlainNet(nn.Module):
    """Scaled numbers and one-hot categories → ``depth`` × (linear, ReLU, dropout) → linear.

    Shapes: numeric (b, n) float, categorical (b, m) int64 → (b, c).
    """

    def __init__(self, info: ModelInfo, settings: Plain) -> None:
        super().__init__()
        self.inputs = TableInputs(info.numeric, info.cardinalities)
        layers: list[nn.Module] = []
        before = self.inputs.width
        for _ in range(settings.depth):
            layers += [nn.Linear(before, settings.width), nn.ReLU(), nn.Dropout(settings.dropout)]
            before = settings.width
        self.layers = nn.Sequential(*layers, nn.Linear(before, info.outputs))

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Return logits or values (b, c)."""
        outputs: Tensor = self.layers(self.inputs(numeric, categorical)[0])
        return outputs


@ARCHITECTURES.add
@dataclass(frozen=True)
class Plain(Architecture):
    """Settings of ``PlainNet``.

    Attributes:
        width: units per hidden layer.
        depth: hidden layers.
        dropout: share of units dropped by the net's own layers; ``Dropout(p)`` re-purposes them.

    """

    width: int = 256
    depth: int = 3
    dropout: float = 0.0

    @classmethod
    def sized(cls, info: ModelInfo) -> Self:
        return cls()

    def make(self, info: ModelInfo) -> nn.Module:
        return PlainNet(info, self)
