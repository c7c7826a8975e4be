"""Random flips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.images import choose
from temperance.core.kit.scenes import on_scenes
from temperance.core.leaves import Leaves
from temperance.core.random import fold, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class RandomFlip(Regularizer):
    """Mirror random images.

        x'[…, i, j] = x[…, i, w − 1 − j] with probability p, for each image on its own

    Stage: objective (augment).  Cost: one copy of the batch.  Strengths: p in [0, 0.5], neutral 0, linear, stronger =
    up (above 0.5 there would be less variety again).
    Shapes: images (b, c, h, w) → same, and masks over them, (b, h, w) or (b, c, h, w), with them; other inputs stay.
    Use when: a mirrored picture has the same class (photographs).  Avoid when: it has not (digits, text).

    Args:
        p: probability that an image is mirrored.
        axis: ``horizontal`` (left and right change places) or ``vertical``.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: no images among the inputs; boxes, or targets per place of another size.

    Example:
        >>> RandomFlip(axis="vertical").to_dict()
        {'name': 'RandomFlip', 'p': 0.5, 'axis': 'vertical'}

    References: Krizhevsky et al. (2012), NeurIPS, section 4.1.

    """

    p: float = 0.5
    axis: Literal["horizontal", "vertical"] = "horizontal"

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.5, low=0.0, high=0.5, neutral=0.0, words="share of the images that are mirrored")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "krizhevsky2012", "Krizhevsky et al.", 2012,
            "ImageNet classification with deep convolutional neural networks", "NeurIPS", "", "section 4.1",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.axis not in ("horizontal", "vertical"):
            raise SettingError(f"RandomFlip got axis={self.axis!r}", "axis is 'horizontal' or 'vertical'", "Pick one")

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Mirror, then go on."""
        address, axis = strengths.address, -1 if self.axis == "horizontal" else -2

        def flipped(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("p"):
                return inner(params, buffers, batch, key)
            own = fold(key, address)
            moved = on_scenes(batch, lambda x, i, _: flip(x, strengths["p"], axis, fold(own, i)), "RandomFlip")
            return inner(params, buffers, moved, key)

        return flipped


def flip(x: Tensor, p: Tensor | float, axis: int, key: Any) -> Tensor:
    """Return the images, each mirrored along ``axis`` with probability p.

    Shapes: (b, c, h, w) → the same; p ().
    """
    return choose(uniform(key, (x.shape[0],), x.device) < p, x.flip(axis), x)
