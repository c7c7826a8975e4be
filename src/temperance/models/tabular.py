"""The default net for tables: many small nets trained side by side on shared embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from torch import Tensor, nn

from temperance.models.base import ARCHITECTURES, Architecture, ModelInfo
from temperance.models.embeddings import TableInputs
from temperance.models.layers import Members, Scale


class TabularNet(nn.Module):
    """Embeddings → feature scales → k members of ``depth`` hidden layers each → logits or values per member.

    Shapes: numeric (b, n) float, categorical (b, m) int64 → (b, k, c).
    """

    def __init__(self, info: ModelInfo, settings: Tabular) -> None:
        super().__init__()
        embedding = {"frequencies": settings.frequencies, "width": settings.embedding, "scale": settings.frequency}
        self.inputs = TableInputs(info.numeric, info.cardinalities, embed=settings.embedding > 1, **embedding)
        self.scale = Scale(self.inputs.width)
        widths = [self.inputs.width] + [settings.width] * settings.depth
        self.hidden = nn.ModuleList(
            nn.ModuleDict(
                {
                    "linear": Members(settings.members, before, after),
                    "activation": nn.ReLU(),
                    "dropout": nn.Dropout(settings.dropout),
                }
            )
            for before, after in pairwise(widths)
        )
        self.output = Members(settings.members, settings.width, info.outputs)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Return the outputs of every member (b, k, c)."""
        state = self.scale(self.inputs(numeric, categorical))
        for layer in self.hidden:
            state = layer["dropout"](layer["activation"](layer["linear"](state)))  # type: ignore[index]
        outputs: Tensor = self.output(state)
        return outputs.transpose(0, 1)


@ARCHITECTURES.add
@dataclass(frozen=True)
class Tabular(Architecture):
    """Settings of ``TabularNet``.

    Attributes:
        members: k, nets side by side; their mean predicts.
        width: units per hidden layer of one member.
        depth: hidden layers.
        embedding: numbers per numeric feature after embedding; 1 is none.
        frequencies: cosines per numeric feature.
        frequency: standard deviation of the frequencies at the start.
        dropout: share of units dropped by the net's own layers. 0, because dropping is a regularizer's business:
            ``Dropout(p)`` re-purposes these layers.

    """

    members: int = 16
    width: int = 64
    depth: int = 3
    embedding: int = 4
    frequencies: int = 16
    frequency: float = 0.1
    dropout: float = 0.0

    @classmethod
    def sized(cls, info: ModelInfo) -> Self:
        return cls()

    def make(self, info: ModelInfo) -> nn.Module:
        return TabularNet(info, self)
