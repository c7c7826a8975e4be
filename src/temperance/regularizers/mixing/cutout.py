"""Cutout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.images import box, on_images
from temperance.core.leaves import Leaves
from temperance.core.random import fold, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class Cutout(Regularizer):
    """Blank out one random rectangle of each image.

        x' = fill inside a box of sides round(size·h) and round(size·w) around a random pixel, cut at the border

    Stage: objective (augment).  Cost: one mask per image.  Strengths: size in [0, 0.9], neutral 0, linear, stronger =
    up.
    Shapes: images (b, c, h, w) → same; other inputs stay.
    Use when: image classification with few data.  Avoid when: tables; the class sits in a small detail.

    Args:
        size: side of the box over the side of the image.
        fill: value inside; 0 is the mean of standardized images.

    Raises:
        SettingError: size outside its range.
        RecipeError: no images among the inputs.

    Example:
        >>> Cutout(0.25).to_dict()
        {'name': 'Cutout', 'size': 0.25, 'fill': 0.0}

    References: DeVries and Taylor (2017), arXiv:1708.04552, section 3.

    """

    size: float = 0.5
    fill: float = 0.0

    strengths: ClassVar[dict[str, Strength]] = {
        "size": Strength(0.5, low=0.0, high=0.9, neutral=0.0, words="side of the box that is blanked out")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"size": ("loss_noise", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "devries2017", "DeVries and Taylor", 2017, "Improved regularization of CNNs with cutout", "arXiv",
            "1708.04552", "section 3",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Blank out, then go on."""
        address = strengths.address

        def holed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("size"):
                return inner(params, buffers, batch, key)
            own = fold(key, address)
            inputs = on_images(
                batch.inputs, lambda x, i: blank(x, strengths.number("size"), self.fill, fold(own, i)), "Cutout"
            )
            return inner(params, buffers, batch._replace(inputs=inputs), key)

        return holed


def blank(x: Tensor, size: Tensor | float, fill: float, key: Any) -> Tensor:
    """Return the images with one box each set to ``fill``; the noise is that of ``key``.

    Shapes: (b, c, h, w) → the same; size ().
    """
    place = uniform(key, (2, x.shape[0]), x.device)
    edges = []
    for axis in (0, 1):
        side = size * x.shape[2 + axis]
        side = torch.round(side) if isinstance(side, Tensor) else round(side)
        start = torch.floor(place[axis] * x.shape[2 + axis]) - side // 2
        edges += [start, start + side]
    hole = box((x.shape[2], x.shape[3]), edges[0], edges[1], edges[2], edges[3])
    return x.masked_fill(hole[:, None], fill)
