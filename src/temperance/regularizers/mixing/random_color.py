"""Random colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.images import choose, on_images
from temperance.core.leaves import Leaves
from temperance.core.random import fold, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class RandomColor(Regularizer):
    """Exchange the channels of random images, and light for dark in each of them.

        x'_c = m_c' + s_c · (x_c' − m_c'),  c' = π(c),  with probability p, for each image on its own

    π is a random order of the channels, s_c is +1 or −1 with equal chance, m_c' the image's mean of channel c'. A grey
    image has one channel: light and dark change places in half of those that are drawn.

    Stage: objective (augment).  Cost: two copies of the batch.  Strengths: p in [0, 1], neutral 0, linear, stronger =
    up.
    Shapes: images (b, c, h, w) → same; other inputs stay.
    Use when: colour and brightness say nothing of the class (forms, textures, signs in any ink), above all where images
    are few: a net cannot learn from a hundred pictures that colours do not count.  Avoid when: colour is the answer.

    Args:
        p: probability that an image gets other colours.

    Raises:
        SettingError: p outside its range.
        RecipeError: no images among the inputs.

    Example:
        >>> RandomColor(0.5).to_dict()
        {'name': 'RandomColor', 'p': 0.5}

    References: Howard (2013), arXiv:1312.5402, section 2 (colour manipulations, milder than here); Cubuk et al. (2019),
    arXiv:1805.09501, table 6 (inversion).

    """

    p: float = 0.8

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.8, low=0.0, high=1.0, neutral=0.0, words="share of the images that get other colours")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "howard2013", "Howard", 2013,
            "Some improvements on deep convolutional neural network based image classification", "", "1312.5402",
            "section 2",
        ),
        Citation(
            "cubuk2019", "Cubuk et al.", 2019, "AutoAugment: learning augmentation policies from data", "CVPR",
            "1805.09501", "table 6",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Change the colours, then go on."""
        address = strengths.address

        def colored(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("p"):
                return inner(params, buffers, batch, key)
            own = fold(key, address)
            inputs = on_images(batch.inputs, lambda x, i: recolor(x, strengths["p"], fold(own, i)), "RandomColor")
            return inner(params, buffers, batch._replace(inputs=inputs), key)

        return colored


def recolor(x: Tensor, p: Tensor | float, key: Any) -> Tensor:
    """Return the images (b, c, h, w), each with other colours with probability p; the others bit for bit."""
    count, channels = x.shape[:2]
    drawn = uniform(key, (count, 2 * channels + 1), x.device)
    order = drawn[:, 1 : channels + 1].argsort(1)
    exchanged = torch.take_along_dim(x, order[:, :, None, None], 1)
    sign = torch.where(drawn[:, channels + 1 :] < 0.5, -1.0, 1.0).to(x.dtype)[:, :, None, None]
    mean = exchanged.mean((2, 3), keepdim=True)
    return choose(drawn[:, 0] < p, mean + sign * (exchanged - mean), x)
