"""Adaptive augmentation (ADA): how often images are changed follows how much the model over-fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.images import affine, choose, gray, on_images, per_image, warp
from temperance.core.leaves import Leaves
from temperance.core.random import fold, normal, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.errors import SettingError

KINDS = ("blit", "geometry", "color")


@techniques.add
@dataclass(frozen=True, repr=False)
class AdaptiveAugmentation(Regularizer):
    """Change images more often the more the model over-fits.

        each change happens to each image with probability p, on its own; p starts at 0 and a controller moves it:
        p += (epochs since the last measurement)/ramp · sign(signal − target)

    Changes: ``blit``: mirror, quarter turns, whole-pixel shifts (σ none, up to 1/8 of the side); ``geometry``: scale
    2^N(0, 0.2²), stretch 2^N(0, 0.2²), turn U(−π, π) as often as 1 − √(1 − p), shift N(0, 1/8) of the side;
    ``color``: brightness N(0, 0.2²)·range, contrast 2^N(0, 0.5²), saturation 2^N(0, 1). All moves of an image are one
    affine map, bilinear, 0 from outside. Hue and luma flips of the paper are left out.

    On its own it holds p. Beside ``SignFeedback`` it is ADA: signal ``gap`` for classifiers; for a discriminator feed
    in the share of real images with a positive score, target 0.6. Below 0.8 such changes do not leak into a generator
    (paper, section 2.2), so that is the bound.

    Stage: objective (augment).  Cost: one affine map and three recolourings of the batch.  Strengths: p in [0, 0.8],
    neutral 0, linear, stronger = up.
    Shapes: images (b, c, h, w) → same; other inputs stay.
    Use when: few images; nobody knows how much augmentation is right.  Avoid when: tables; turned things are other
    things (choose ``kinds``).

    Args:
        p: probability of each change at the start.
        kinds: which changes, out of ``blit``, ``geometry``, ``color``.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: no images among the inputs.

    Example:
        >>> from temperance import AdaptiveAugmentation, Recipe, SignFeedback
        >>> recipe = Recipe(AdaptiveAugmentation(), controller=SignFeedback(0.05, ramp=15, signal="gap"))

    References: Karras et al. (2020), arXiv:2006.06676, sections 2 and 3, appendix B.

    """

    p: float = 0.0
    kinds: tuple[str, ...] = ("geometry", "color")

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.0, low=0.0, high=0.8, neutral=0.0, words="how often each change happens to an image")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "karras2020", "Karras et al.", 2020, "Training generative adversarial networks with limited data",
            "NeurIPS", "2006.06676", "section 3",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.kinds or not set(self.kinds) <= set(KINDS):
            raise SettingError(
                f"AdaptiveAugmentation got kinds={self.kinds!r}", f"kinds are some of {KINDS}", "Pick one or more"
            )

    @classmethod
    def samples(cls) -> tuple[AdaptiveAugmentation, ...]:
        """Return one that acts from the start, with every change."""
        return (cls(0.5, kinds=KINDS),)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Change the images, then go on."""
        address = strengths.address

        def augmented(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("p"):
                return inner(params, buffers, batch, key)
            own, p = fold(key, address), strengths["p"]
            inputs = on_images(
                batch.inputs, lambda x, i: augment(x, p, self.kinds, fold(own, i)), "AdaptiveAugmentation"
            )
            return inner(params, buffers, batch._replace(inputs=inputs), key)

        return augmented


def augment(x: Tensor, p: Tensor | float, kinds: tuple[str, ...], key: Any) -> Tensor:
    """Return the images, each change applied with probability p; images that nothing hits stay bit for bit."""
    chance = torch.as_tensor(p, device=x.device)
    if "blit" in kinds or "geometry" in kinds:
        matrix, moved = _moves(x, chance, kinds, key)
        x = choose(moved, warp(x, matrix), x)
    return _recolor(x, chance, fold(key, "color")) if "color" in kinds else x


def _moves(x: Tensor, p: Tensor, kinds: tuple[str, ...], key: Any) -> tuple[Tensor, Tensor]:
    count, device = x.shape[0], x.device
    zero, one = x.new_zeros(count), x.new_ones(count)
    steps: list[tuple[Tensor, Tensor]] = []
    height, width = x.shape[-2:]
    if "blit" in kinds:
        hit, u = (
            uniform(fold(key, "blit"), (3, count), device) < p,
            uniform(fold(key, "blits"), (4, count), device).to(x),
        )
        side = torch.where(u[0] < 0.5, -one, one)
        quarter = torch.floor(u[1] * 4) * (torch.pi / 2)
        steps.append((hit[0], affine(side, zero, zero, zero, one, zero)))
        steps.append((hit[1], _turn(quarter)))
        right, down = torch.round((u[2] * 2 - 1) * width / 8), torch.round((u[3] * 2 - 1) * height / 8)
        steps.append((hit[2], affine(one, zero, right, zero, one, down)))
    if "geometry" in kinds:
        drawn = uniform(fold(key, "geometry"), (4, count), device)
        n = normal(fold(key, "sizes"), (4, count), device).to(x)
        scale, stretch = torch.exp2(-0.2 * n[0]), torch.exp2(-0.2 * n[1])
        turn = (uniform(fold(key, "turn"), (count,), device).to(x) * 2 - 1) * torch.pi
        steps.append((drawn[0] < p, affine(scale, zero, zero, zero, scale, zero)))
        steps.append((drawn[1] < 1 - torch.sqrt(1 - p), _turn(turn)))
        steps.append((drawn[2] < p, affine(stretch, zero, zero, zero, 1 / stretch, zero)))
        steps.append((drawn[3] < p, affine(one, zero, n[2] * width / 8, zero, one, n[3] * height / 8)))
    return _together(steps)


def _turn(angle: Tensor) -> Tensor:
    cos, sin, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    return affine(cos, -sin, zero, sin, cos, zero)


def _together(steps: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return one map (b, 2, 3) of those steps that happen, and whether any does (b,)."""
    like = steps[0][1]
    row = like.new_tensor([0.0, 0.0, 1.0]).expand(like.shape[0], 1, 3)
    still = torch.eye(3, device=like.device, dtype=like.dtype).expand(like.shape[0], 3, 3)
    whole, any_hit = still, torch.zeros_like(steps[0][0])
    for hit, matrix in steps:
        step = torch.where(hit[:, None, None], torch.cat([matrix, row], 1), still)
        whole, any_hit = whole @ step, any_hit | hit
    return whole[:, :2], any_hit


def _recolor(x: Tensor, p: Tensor, key: Any) -> Tensor:
    hit = uniform(fold(key, "hit"), (3, x.shape[0]), x.device) < p
    n = normal(fold(key, "size"), (3, x.shape[0]), x.device).to(x)
    x_range = x.amax() - x.amin()
    x = choose(hit[0], x + per_image(0.2 * n[0], x) * x_range, x)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = choose(hit[1], mean + per_image(torch.exp2(0.5 * n[1]), x) * (x - mean), x)
    pale = gray(x)
    return choose(hit[2], pale + per_image(torch.exp2(n[2]), x) * (x - pale), x) if x.shape[1] == 3 else x
