"""Random crops of padded images, that is random shifts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.devices import exact
from temperance.core.kit.images import shift
from temperance.core.kit.scenes import mask_fill, move_mask, on_scenes
from temperance.core.leaves import Leaves
from temperance.core.random import fold, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class RandomCrop(Regularizer):
    """Pad each image and cut a random window of its own size out of it.

        m = round(margin·side);  the window starts at a uniform place in {−m, …, m}, for each axis and image

    Stage: objective (augment).  Cost: one padding, one selection.  Strengths: margin in [0, 0.5], neutral 0, linear,
    stronger = up.
    Shapes: images (b, c, h, w) → same, and masks over them, (b, h, w) or (b, c, h, w), too (from outside comes
    what the loss leaves out, else 0); others stay.
    Use when: image classification (4 pixels of 32: margin 0.125).  Avoid when: tables; the place of things is the
    answer.

    Args:
        margin: padding on each side over the side of the image.
        border: what the padding holds: ``zeros`` or ``edge`` (the outermost pixel again).

    Raises:
        SettingError: a setting outside its range.
        RecipeError: no images among the inputs; boxes, or targets per place of another size.

    Example:
        >>> RandomCrop(0.25, border="edge").to_dict()
        {'name': 'RandomCrop', 'margin': 0.25, 'border': 'edge'}

    References: He et al. (2016), arXiv:1512.03385, section 4.2.

    """

    margin: float = 0.125
    border: Literal["zeros", "edge"] = "zeros"

    strengths: ClassVar[dict[str, Strength]] = {
        "margin": Strength(0.125, low=0.0, high=0.5, neutral=0.0, words="how far images are shifted")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"margin": ("loss_noise", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "he2016", "He et al.", 2016, "Deep residual learning for image recognition", "CVPR", "1512.03385",
            "section 4.2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.border not in ("zeros", "edge"):
            raise SettingError(f"RandomCrop got border={self.border!r}", "border is 'zeros' or 'edge'", "Pick one")

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Shift, then go on."""
        address = strengths.address

        def cropped(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("margin"):
                return inner(params, buffers, batch, key)
            own = fold(key, address)

            def move(x: Tensor, number: int, is_mask: bool) -> Tensor:
                def cut(image: Tensor) -> Tensor:
                    return crop(image, strengths.number("margin"), self.border, fold(own, number))

                return move_mask(x, mask_fill(batch, x), cut) if is_mask else cut(x)

            return inner(params, buffers, on_scenes(batch, move, "RandomCrop"), key)

        return cropped


def crop(x: Tensor, margin: Tensor | float, border: str, key: Any) -> Tensor:
    """Return the images, each shifted by up to round(margin·side) whole pixels along each axis.

    Shapes: (b, c, h, w) → the same; margin ().
    """
    drawn = uniform(key, (2, x.shape[0]), x.device, exact(x.device))
    if not isinstance(margin, Tensor):
        return _windows(x, (round(margin * x.shape[2]), round(margin * x.shape[3])), border, drawn)
    moves = []
    for axis in (0, 1):
        most = torch.round(margin * x.shape[2 + axis])
        moves.append((torch.floor(drawn[axis] * (2 * most + 1)) - most).to(torch.int64))
    return shift(x, moves[0], moves[1], border=border)


def _windows(x: Tensor, most: tuple[int, int], border: str, drawn: Tensor) -> Tensor:
    """Return the same where the margins are known: padded images, and one window of each."""
    (tall, wide), (height, width) = most, x.shape[-2:]
    if tall == wide == 0:
        return x
    padded = functional.pad(x, (wide, wide, tall, tall), mode="replicate" if border == "edge" else "constant")
    top, left = (2 * m - (u * (2 * m + 1)).to(torch.int64) for m, u in zip(most, drawn, strict=True))
    rows = torch.arange(x.shape[0], device=x.device)
    return padded.unfold(2, height, 1).unfold(3, width, 1)[rows, :, top, left]
