"""A small plain convolutional net that a CPU trains well within a minute: the default for images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor, nn

from temperance.models.base import ARCHITECTURES, Architecture, ModelInfo
from temperance.records.errors import SettingError

LARGEST = 80  # sides above it are brought below by means over whole squares of pixels
FULL = 40  # sides above it meet a first layer of stride 2
SMALLEST = 6  # sides below it are not halved any more


class ConvolutionalNet(nn.Module):
    """Means over squares → (3×3 convolution, pool, norm, ReLU) per width → means over a grid → dropout → linear.

    Most of the work of a training lies where images are large, so the channels are few there: a step over 64 images
    of 28 × 28 takes a sixth of that of ``ResidualNet``. Large images are shrunk at once, by means over squares and by a
    5×5 convolution of stride 2. The grid keeps where things are; a mean over all pixels lost 1.6 points of accuracy on
    2,000 images of clothes. Weights lie channels last, and images follow them: a third less time on a CPU; pooling
    before the norm saves as much again.

    Normalization is by batch: with groups of channels, as in ``ResidualNet``, the log loss was 4 to 7 % higher, and a
    served batch normalization costs nothing worth naming.

    With ``both_sides`` it answers with the mean of its logits for an image and for its mirror image, so that both have
    the same answer, at twice the time of one; in training it sees one side, which ``RandomFlip`` draws.

    Shapes: images (b, c, h, w) float → (b, outputs).
    """

    _mirrored: Tensor

    def __init__(self, info: ModelInfo, settings: ConvNet) -> None:
        super().__init__()
        if info.image_shape is None:
            raise SettingError("a table for a net of images", "image_shape (height, width, channels)", "Use 'tabular'")
        sides = info.image_shape[0] // settings.shrink, info.image_shape[1] // settings.shrink
        layers: list[nn.Module] = [nn.AvgPool2d(settings.shrink)] if settings.shrink > 1 else []
        if settings.even:
            layers.append(nn.GroupNorm(info.image_shape[2], info.image_shape[2], affine=False))
        for place, (before, width) in enumerate(pairwise((info.image_shape[2], *settings.widths))):
            stride = settings.first_stride if place == 0 else 1
            kernel = 3 if stride == 1 else 5
            layers.append(nn.Conv2d(before, width, kernel, stride=stride, padding=kernel // 2, bias=False))
            sides = -(-sides[0] // stride), -(-sides[1] // stride)
            if place + 1 < len(settings.widths) and min(sides) >= SMALLEST:
                layers.append(nn.MaxPool2d(2))  # before the norm, which then has a quarter of the work
                sides = sides[0] // 2, sides[1] // 2
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        tall, wide = (_windows(side, settings.grid) for side in sides)
        self.grid = nn.AvgPool2d((tall[0], wide[0]), (tall[1], wide[1]))
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(width * tall[2] * wide[2], info.outputs)
        self.both_sides = settings.both_sides
        places = torch.arange(info.image_shape[1] - 1, -1, -1)
        self.register_buffer("_mirrored", places, persistent=False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not declare it

    def forward(self, images: Tensor) -> Tensor:
        """Return logits or values (b, c)."""
        seen = self._of_one_side(images)
        if self.both_sides and not self.training:
            return 0.5 * (seen + self._of_one_side(images.index_select(3, self._mirrored)))
        return seen

    def _of_one_side(self, images: Tensor) -> Tensor:
        pooled = self.grid(self.body(images)).flatten(1)
        outputs: Tensor = self.output(self.dropout(pooled))
        return outputs


def _windows(side: int, count: int) -> tuple[int, int, int]:
    """Return (length, step, count) of even windows over ``side`` pixels; neighbours overlap where it does not divide.

    They are those of adaptive pooling for the sizes in use here, in a form that every runtime has.
    """
    kept = min(side, count)
    step = side // kept
    return side - step * (kept - 1), step, kept


@ARCHITECTURES.add
@dataclass(frozen=True)
class ConvNet(Architecture):
    """Settings of ``ConvolutionalNet``.

    Attributes:
        widths: channels per convolution.
        shrink: pixels per side of the squares whose mean is taken first.
        first_stride: 2 halves the image in the first convolution.
        grid: most means per side before the linear layer; 1 forgets where things are.
        even: each channel of each image is brought to mean 0 and spread 1, so that light and contrast do not count.
        both_sides: it answers with the mean for an image and its mirror image; for nets that train on both.
        dropout: share of pooled features dropped by the net's own layer; ``Dropout(p)`` re-purposes it.

    """

    widths: tuple[int, ...] = (16, 32, 64)
    shrink: int = 1
    first_stride: int = 1
    grid: int = 3
    even: bool = False
    both_sides: bool = False
    dropout: float = 0.0

    @classmethod
    def sized(cls, info: ModelInfo) -> Self:
        height, width, _ = info.image_shape or (1, 1, 1)
        shrink = -(-max(height, width) // LARGEST)
        shrink = max(1, min(shrink, height, width))
        side = min(height, width) // shrink
        return cls(shrink=shrink, first_stride=2 if side > FULL else 1)

    def make(self, info: ModelInfo) -> nn.Module:
        return ConvolutionalNet(info, self)
