"""Adaptive augmentation (ADA): how often images are changed follows how much the model over-fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.images import affine, choose, gray, per_image, span, warp
from temperance.core.kit.scenes import mask_fill, move_mask, on_scenes
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

    Stage: objective (augment).  Cost: one affine map and one recolouring of the batch.  Strengths: p in [0, 0.8],
    neutral 0, linear, stronger = up.
    Shapes: images (b, c, h, w) → same, and masks over them, (b, h, w) or (b, c, h, w), too; others stay.
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
            own, p = fold(key, address), strengths.number("p")

            def change(x: Tensor, number: int, is_mask: bool) -> Tensor:
                def augmented(scene: Tensor) -> Tensor:
                    return augment(scene, p, self.kinds, fold(own, number), is_mask=is_mask)

                return move_mask(x, mask_fill(batch, x), augmented) if is_mask else augmented(x)

            return inner(params, buffers, on_scenes(batch, change, "AdaptiveAugmentation"), key)

        return augmented


def augment(x: Tensor, p: Tensor | float, kinds: tuple[str, ...], key: Any, *, is_mask: bool = False) -> Tensor:
    """Return the images, each change applied with probability p; images that nothing hits stay bit for bit.

    Masks are only moved, to the nearest pixel.

    Shapes: (b, c, h, w) → the same; p ().
    """
    if "blit" in kinds or "geometry" in kinds:
        maps = [_moves(x, p, kind, key) for kind in ("blit", "geometry") if kind in kinds]
        whole, moved = maps[0] if len(maps) == 1 else _after(*maps)
        x = choose(moved, warp(x, whole, nearest=is_mask), x)
    return _recolor(x, p, fold(key, "color")) if "color" in kinds and not is_mask else x


def _moves(x: Tensor, p: Tensor | float, kind: str, key: Any) -> tuple[Tensor, Tensor]:
    """Return the maps of one kind, (b, 2, 3), and whether anything happens to each image, (b,)."""
    count, device = x.shape[0], x.device
    height, width = x.shape[-2:]
    if kind == "blit":
        hit = uniform(fold(key, "blit"), (3, count), device) < p
        u = uniform(fold(key, "blits"), (4, count), device).to(x)
        mirror = torch.where(hit[0] & (u[0] < 0.5), -1.0, 1.0).to(x)
        angle = torch.where(hit[1], torch.floor(u[1] * 4) * (math.pi / 2), 0.0)
        right, down = torch.round((u[2] * 2 - 1) * (width / 8)), torch.round((u[3] * 2 - 1) * (height / 8))
        one, moved = torch.ones_like(mirror), hit.any(0)
        return _map(mirror, one, angle, one, torch.where(hit[2], right, 0.0), torch.where(hit[2], down, 0.0)), moved
    u, n = uniform(fold(key, "geometry"), (5, count), device), normal(fold(key, "sizes"), (4, count), device).to(x)
    hit, turned = u[:3] < p, u[3] < 1 - (1 - p) ** 0.5
    scale, stretch = torch.exp2(-0.2 * torch.where(hit[:2], n[:2], 0.0))
    right, down = torch.where(hit[2], n[2:], 0.0)
    angle = torch.where(turned, (u[4].to(x) * 2 - 1) * math.pi, 0.0)
    moved = hit.any(0) | turned
    return _map(scale, scale, angle, stretch, right * (width / 8), down * (height / 8)), moved


def _map(across: Tensor, along: Tensor, angle: Tensor, stretch: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Return diag(across, along) · turn · diag(stretch, 1/stretch) · shift, (b, 2, 3)."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    a, b = across * cos * stretch, -across * sin / stretch
    c, d = along * sin * stretch, along * cos / stretch
    return affine(a, b, a * right + b * down, c, d, c * right + d * down)


def _after(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the product of two maps, and whether either moves an image."""
    (outer, by_outer), (inner, by_inner) = first, second
    whole = outer[:, :, :2] @ inner
    return torch.cat([whole[:, :, :2], whole[:, :, 2:] + outer[:, :, 2:]], 2), by_outer | by_inner


def _recolor(x: Tensor, p: Tensor | float, key: Any) -> Tensor:
    """Change brightness, contrast and saturation; each change is 0 where it does not happen, so x + 0·y = x."""
    hit = uniform(fold(key, "hit"), (3, x.shape[0]), x.device) < p
    n = torch.where(hit, normal(fold(key, "size"), (3, x.shape[0]), x.device).to(x), 0.0)
    low, high = span(x)
    lighter, contrast = 0.2 * n[0] * (high - low), torch.exp2(0.5 * n[1]) - 1
    shift = lighter - contrast * x.mean((1, 2, 3))
    x = torch.addcmul(x + per_image(shift, x), x, per_image(contrast, x))
    if x.shape[1] != 3:
        return x
    return torch.addcmul(x, x - gray(x), per_image(torch.exp2(n[2]) - 1, x))
