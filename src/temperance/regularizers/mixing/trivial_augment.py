"""TrivialAugment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.images import GEOMETRIC, PHOTOMETRIC, Reach, distort, distort_mask
from temperance.core.kit.scenes import mask_fill, move_mask, on_scenes
from temperance.core.leaves import Leaves
from temperance.core.random import fold, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation

OPS = ("identity", *GEOMETRIC, *PHOTOMETRIC)
WIDE = Reach(shear=0.99, translate=1.0, degrees=135.0, bits=2.0, factor=0.99)
NARROW = Reach(shear=0.3, translate=0.33, degrees=30.0, bits=4.0, factor=0.9)
_LEVELS = 31


@techniques.add
@dataclass(frozen=True, repr=False)
class TrivialAugment(Regularizer):
    """Distort each image by one random operation of random size.

        with probability p: operation uniform among 14, size uniform among 31 levels, direction ±

    Operations: identity, shear and translate (x, y), rotate, posterize, solarize, autocontrast, equalize, brightness,
    contrast, color, sharpness; each runs as tensors on the images that drew it. The value range is that of the batch,
    so standardized images work; what comes in from outside is 0.

    Stage: objective (augment).  Cost: two or three passes over the pixels (no forward pass).  Strengths: p in [0, 1],
    neutral 0, linear, stronger = up.
    Shapes: images (b, c, h, w) → same, and masks over them, (b, h, w) or (b, c, h, w), too; others stay.
    Use when: image classification without time to tune augmentation.  Avoid when: tables; orientation or brightness is
    the answer.

    Args:
        p: probability that an image is distorted; 1 in the paper.
        wide: the paper's wide ranges; False: those of RandAugment.

    Raises:
        SettingError: p outside its range.
        RecipeError: no images among the inputs; boxes, or targets per place of another size.

    Example:
        >>> TrivialAugment(0.5, wide=False).to_dict()
        {'name': 'TrivialAugment', 'p': 0.5, 'wide': False}

    References: Müller and Hutter (2021), arXiv:2103.10158, section 3 and table 1.

    """

    p: float = 1.0
    wide: bool = True

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(1.0, low=0.0, high=1.0, neutral=0.0, words="share of the images that are distorted")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "muller2021", "Müller and Hutter", 2021,
            "TrivialAugment: tuning-free yet state-of-the-art data augmentation",
            "ICCV", "2103.10158", "section 3",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Distort, then go on."""
        address, reach = strengths.address, WIDE if self.wide else NARROW

        def augmented(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("p"):
                return inner(params, buffers, batch, key)
            own = fold(key, address)

            def change(x: Tensor, number: int, is_mask: bool) -> Tensor:
                def distorted(scene: Tensor) -> Tensor:
                    return augment(scene, strengths.number("p"), reach, fold(own, number), is_mask=is_mask)

                return move_mask(x, mask_fill(batch, x), distorted) if is_mask else distorted(x)

            return inner(params, buffers, on_scenes(batch, change, "TrivialAugment"), key)

        return augmented


def augment(x: Tensor, p: Tensor | float, reach: Reach, key: Any, *, is_mask: bool = False) -> Tensor:
    """Return the images, each distorted with probability p; the noise is that of ``key``. Masks are only moved.

    Shapes: (b, c, h, w) → the same; p ().
    """
    drawn = uniform(key, (4, x.shape[0]), torch.device("cpu"))
    if isinstance(p, Tensor):
        drawn = drawn.to(p.device)
    which = (drawn[0] * len(OPS)).to(torch.int64) * (drawn[3] < p)  # 0 is the identity
    amount = torch.floor(drawn[1] * _LEVELS) / (_LEVELS - 1)
    change = distort_mask if is_mask else distort
    return change(x, OPS, which, amount, torch.where(drawn[2] < 0.5, -1.0, 1.0), reach)
