"""A small residual convolutional net for images of 8 to 64 pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from temperance.models.base import ARCHITECTURES, Architecture, ModelInfo
from temperance.records.errors import SettingError


class ResidualBlock(nn.Module):
    """x → ReLU(shortcut(x) + norm(conv(ReLU(norm(conv(x)))))).

    Shapes: (b, c, h, w) → (b, c', h / stride, w / stride).
    """

    def __init__(self, before: int, after: int, *, stride: int, groups: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(groups, after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(groups, after)
        nn.init.zeros_(self.second_norm.weight)  # every block starts as its shortcut
        self.second_norm.residual_branch = True  # type: ignore[assignment]  # where StochasticDepth acts
        same = stride == 1 and before == after
        self.shortcut = nn.Identity() if same else nn.Conv2d(before, after, 1, stride=stride, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the block's features."""
        inner = torch.relu(self.first_norm(self.first(images)))
        return torch.relu(self.shortcut(images) + self.second_norm(self.second(inner)))


class ResidualNet(nn.Module):
    """Stem → one stage per width, the size halved between stages → mean over pixels → dropout → linear.

    Normalization is by groups of channels, not by batch: it keeps no running statistics, so it is the same in training
    and at inference, per row (no influence of a neighbour in the batch), under weight averaging, under SAM's second
    pass and under ``vmap``.

    Shapes: images (b, c, h, w) float → (b, classes).
    """

    def __init__(self, info: ModelInfo, settings: ResNet) -> None:
        super().__init__()
        if info.image_shape is None:
            raise SettingError("a table for a net of images", "image_shape (height, width, channels)", "Use 'tabular'")
        first = settings.widths[0]
        self.stem = nn.Conv2d(info.image_shape[2], first, 3, padding=1, bias=False)
        self.stem_norm = nn.GroupNorm(settings.groups, first)
        blocks: list[nn.Module] = []
        before = first
        for stage, width in enumerate(settings.widths):
            for i in range(settings.blocks):
                stride = settings.first_stride if stage == 0 and i == 0 else 2 if i == 0 else 1
                blocks.append(ResidualBlock(before, width, stride=stride, groups=settings.groups))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(before, info.outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits or values (b, c)."""
        state = torch.relu(self.stem_norm(self.stem(images)))
        pooled = adaptive_avg_pool2d(self.blocks(state), 1).flatten(1)
        outputs: Tensor = self.output(self.dropout(pooled))
        return outputs


@ARCHITECTURES.add
@dataclass(frozen=True)
class ResNet(Architecture):
    """Settings of ``ResidualNet``.

    Attributes:
        widths: channels per stage.
        blocks: residual blocks per stage.
        groups: groups of channels that are normalized together; divides every width.
        first_stride: 2 halves the image at once, for images above 32 pixels.
        dropout: share of pooled features dropped by the net's own layer; ``Dropout(p)`` re-purposes it.

    """

    widths: tuple[int, ...] = (32, 64, 128)
    blocks: int = 1
    groups: int = 8
    first_stride: int = 1
    dropout: float = 0.0

    @classmethod
    def sized(cls, info: ModelInfo) -> Self:
        height, width, _ = info.image_shape or (0, 0, 0)
        side = min(height, width)
        widths = (32, 64) if side < 12 else (32, 64, 128)
        return cls(widths=widths, first_stride=2 if side > 24 else 1)

    def make(self, info: ModelInfo) -> nn.Module:
        return ResidualNet(info, self)
