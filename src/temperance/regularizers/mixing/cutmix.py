"""CutMix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Mixed, Pass, first_leaf
from temperance.core.devices import exact, widened
from temperance.core.kit.images import box, is_image, on_images
from temperance.core.kit.mixing import paired, require_rows
from temperance.core.leaves import Leaves
from temperance.core.nest import leaves
from temperance.core.random import beta, fold, permutation, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class CutMix(Regularizer):
    """Paste a box of another image into each image and mix the answers by area.

        λ₀ ~ Beta(α, α);  box with sides √(1 − λ₀)·h and √(1 − λ₀)·w around a random pixel, cut at the border
        x' = x_partner inside the box, x outside;  λ = 1 − (pixels of the box)/(h·w)
        loss = λ·l(y) + (1 − λ)·l(y_partner)

    λ is counted after the box was cut at the border, so it is the exact share of pixels. One box and one order of
    partners per batch. All images of the inputs must have one size; other inputs (tables) stay those of the first.

    Stage: objective (mix).  Cost: one copy, a second loss.  Strengths: p in [0, 1], neutral 0, linear, stronger =
    up.
    Shapes: images (b, c, h, w) → same; targets (b,) or (b, c) → ``Mixed`` with share ().
    Use when: image classification; localization matters.  Avoid when: tables; the class sits in a small detail.

    Args:
        p: probability that a batch is mixed.
        alpha: α of the Beta distribution; 1 is uniform, towards 0 boxes become nothing or all.

    Raises:
        SettingError: p or α outside its range.
        RecipeError: no images among the inputs, images of several sizes, targets per pixel, or a batch mixed already.

    Example:
        >>> CutMix(0.5).to_dict()
        {'name': 'CutMix', 'p': 0.5, 'alpha': 1.0}

    References: Yun et al. (2019), arXiv:1905.04899, section 3.1, eqs. 1 and 2.

    """

    p: float = 0.5
    alpha: float = 1.0

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.5, low=0.0, high=1.0, neutral=0.0, words="share of the batches that are mixed")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.MIX
    effect: ClassVar[Effect] = {"p": ("confidence", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("mixes",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("mixes", "refuse", "a batch can be mixed once", "Keep one of them"),
        Rule("softens targets", "warn", "both take certainty from the targets", "Use less of each"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "yun2019", "Yun et al.", 2019, "CutMix: regularization strategy to train strong classifiers", "ICCV",
            "1905.04899", "section 3.1",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.alpha <= 32:
            raise SettingError(f"CutMix got alpha={self.alpha!r}", "alpha lies between 0 and 32", "1 is the default")

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Mix the batch, then go on."""
        address = strengths.address

        def mixed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("p"):
                return inner(params, buffers, batch, key)
            return inner(params, buffers, cut(batch, strengths.number("p"), self.alpha, fold(key, address)), key)

        return mixed


def cut(batch: Batch, p: Tensor | float, alpha: float, key: Any) -> Batch:
    """Return the mixed batch, or the batch itself where it is not drawn; the noise is that of ``key``.

    Shapes: p (); the batch's images (b, c, h, w).
    """
    _check_targets(batch.targets)
    sizes = _sizes(batch.inputs)
    leaf, host = first_leaf(batch.inputs), torch.device("cpu")
    require_rows([x for x in leaves(batch.inputs) if is_image(x)], leaf.shape[0], "CutMix")
    share = beta(fold(key, "share"), alpha, host)
    drawn = uniform(fold(key, "place"), (3,), host)
    partner = permutation(fold(key, "partner"), leaf.shape[0], leaf.device)
    if isinstance(p, Tensor):  # nothing may follow a value
        inside = cut_out(sizes, share.to(leaf.device), drawn[:2].to(leaf.device)) & (drawn[2].to(leaf.device) < p)
        inputs = on_images(batch.inputs, lambda x, _: torch.where(inside, x[partner], x), "CutMix")
        return paired(batch, inputs, partner, 1 - widened(inside).mean())
    row, column, use = drawn.tolist()
    if use >= p:
        return batch
    (top, bottom), (left, right) = (_edges(n, at, float(share)) for n, at in zip(sizes, (row, column), strict=True))

    def paste(x: Tensor, _: int) -> Tensor:
        pasted = x.clone()
        pasted[:, :, top:bottom, left:right] = x[partner, :, top:bottom, left:right]
        return pasted

    outside = 1 - (bottom - top) * (right - left) / (sizes[0] * sizes[1])
    kept = torch.full((), outside, dtype=exact(leaf.device), device=leaf.device)
    return paired(batch, on_images(batch.inputs, paste, "CutMix"), partner, kept)


def _sizes(inputs: Any) -> tuple[int, int]:
    """Return height and width of the images, which must have one size."""
    sizes: list[tuple[int, int]] = []

    def note(x: Tensor, _: int) -> Tensor:
        sizes.append((int(x.shape[-2]), int(x.shape[-1])))
        return x

    on_images(inputs, note, "CutMix")
    if len(set(sizes)) > 1:
        raise RecipeError(
            f"CutMix got images of the sizes {sizes}", "one box must mean the same share in each", "Resize them"
        )
    return sizes[0]


def _edges(size: int, place: float, share: float) -> tuple[int, int]:
    """Return where the box begins and ends along one axis, cut at the border."""
    half, centre = math.floor(math.sqrt(1 - share) * size / 2), math.floor(place * size)
    return max(centre - half, 0), min(centre + half, size)


def cut_out(size: tuple[int, int], share: Tensor, place: Tensor) -> Tensor:
    """Return where the box lies, bool (h, w): sides √(1 − share), centre at ``place`` (2,) in [0, 1)."""
    side = torch.sqrt(1 - widened(share))
    edges = []
    for axis in (0, 1):
        half = torch.floor(side * size[axis] / 2)
        centre = torch.floor(widened(place[axis]) * size[axis])
        edges += [centre - half, centre + half]
    return box(size, edges[0], edges[1], edges[2], edges[3])


def _check_targets(targets: Any) -> None:
    if isinstance(targets, Mixed) or all(leaf.dim() <= 2 for leaf in leaves(targets) if isinstance(leaf, Tensor)):
        return
    raise RecipeError(
        f"CutMix got targets of shape {[tuple(x.shape) for x in leaves(targets) if isinstance(x, Tensor)]}",
        "it mixes one answer per image: (b,) or (b, c)",
        "Leave it out where each pixel has an answer",
    )
