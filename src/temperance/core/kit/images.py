"""Transforms of image batches on tensors, each example with its own setting; no loop over examples.

Images are floating leaves of four axes (b, c, h, w) in any range; ``span`` finds the range. Everything here also runs
under ``vmap``: nothing branches on a tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from temperance.core.batch import map_leaves
from temperance.core.random import is_batched
from temperance.records.errors import RecipeError

GEOMETRIC = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
PHOTOMETRIC = (
    "posterize", "solarize", "autocontrast", "equalize", "brightness", "contrast", "color", "sharpness",
)  # fmt: skip


class Reach(NamedTuple):
    """How far the strongest distortions go: slope, share of the side, degrees, bits kept, factor 1 ± ``factor``."""

    shear: float
    translate: float
    degrees: float
    bits: float
    factor: float


_LUMA = (0.299, 0.587, 0.114)


def is_image(leaf: Tensor) -> bool:
    """Return whether a leaf is a batch of images: floating, (b, c, h, w)."""
    return leaf.is_floating_point() and leaf.dim() == 4


def on_images(inputs: Any, change: Callable[[Tensor, int], Tensor], owner: str) -> Any:
    """Pass each image leaf through ``change(x, number)``; other leaves stay.

    Raises:
        RecipeError: there is no image among the inputs; names ``owner``.

    """
    shapes: list[str] = []
    seen = iter(range(1_000_000))
    count = 0

    def one(leaf: Tensor) -> Tensor:
        nonlocal count
        shapes.append(f"{tuple(leaf.shape)} {str(leaf.dtype).removeprefix('torch.')}")
        if not is_image(leaf):
            return leaf
        count += 1
        return change(leaf, next(seen))

    changed = map_leaves(one, inputs)
    if not count:
        raise RecipeError(
            f"{owner} found no image among the inputs, only {', '.join(shapes)}",
            f"{owner} acts on images: floating tensors of four axes (b, c, h, w)",
            "For tables use TabularCorruption, FeatureNoise or MixUp",
        )
    return changed


def span(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lowest and the highest value of a batch, () each."""
    low, high = torch.aminmax(x)
    return low, high


def per_image(values: Tensor, x: Tensor) -> Tensor:
    """Return (b,) values as (b, 1, 1, 1) in the dtype of ``x``."""
    return values.to(x.dtype).reshape(-1, 1, 1, 1)


def choose(which: Tensor, changed: Tensor, x: Tensor) -> Tensor:
    """Return ``changed`` for the examples where ``which`` (b,) holds, else ``x``, bit for bit."""
    return torch.where(which.reshape(-1, 1, 1, 1), changed, x)


def warp(x: Tensor, matrix: Tensor, *, nearest: bool = False) -> Tensor:
    """Return images moved by one affine map each, bilinear (or the nearest pixel), zeros from outside.

    Shapes: x (b, c, h, w) · matrix (b, 2, 3): from output to input, in pixels from the image's centre → (b, c, h, w).
    """
    height, width = x.shape[-2:]
    rows = (2 * torch.arange(height, device=x.device, dtype=x.dtype) + (1 - height)) / height  # −1 to 1 at the borders
    columns = (2 * torch.arange(width, device=x.device, dtype=x.dtype) + (1 - width)) / width
    places = torch.stack([*torch.meshgrid(columns, rows, indexing="xy"), x.new_ones(height, width)], -1)
    units = x.new_tensor([[1.0, height / width, 2 / width], [width / height, 1.0, 2 / height]])
    grid = places.reshape(-1, 3) @ (matrix.to(x.dtype) * units).mT
    mode = "nearest" if nearest else "bilinear"
    return functional.grid_sample(x, grid.reshape(-1, height, width, 2), mode=mode, align_corners=False)


def affine(a: Tensor, b: Tensor, tx: Tensor, c: Tensor, d: Tensor, ty: Tensor) -> Tensor:
    """Return the maps ((a, b, tx), (c, d, ty)) as (b, 2, 3)."""
    return torch.stack([torch.stack([a, b, tx], -1), torch.stack([c, d, ty], -1)], -2)


def shift(x: Tensor, down: Tensor, right: Tensor, *, border: str = "zeros") -> Tensor:
    """Return images moved by whole pixels, (b,) int64 each; exact where both are 0.

    ``border``: what comes in from outside, ``zeros`` or ``edge`` (the outermost pixel again).
    """
    height, width = x.shape[-2:]
    rows = torch.arange(height, device=x.device) - down[:, None]
    columns = torch.arange(width, device=x.device) - right[:, None]
    taken = rows.clamp(0, height - 1)[:, None, :, None].expand(x.shape)
    moved = torch.gather(x, 2, taken)
    moved = torch.gather(moved, 3, columns.clamp(0, width - 1)[:, None, None, :].expand(x.shape))
    if border == "edge":
        return moved
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    return torch.where(inside[:, None], moved, torch.zeros((), dtype=x.dtype, device=x.device))


def box(size: tuple[int, int], top: Tensor, bottom: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return whether a pixel lies in rows [top, bottom) and columns [left, right): bool (…, h, w), corners (…)."""
    rows = torch.arange(size[0], device=top.device)
    columns = torch.arange(size[1], device=top.device)
    tall = (rows >= top[..., None]) & (rows < bottom[..., None])
    wide = (columns >= left[..., None]) & (columns < right[..., None])
    return tall[..., :, None] & wide[..., None, :]


def gray(x: Tensor) -> Tensor:
    """Return the brightness of each pixel, (b, 1, h, w): luma of three channels, else their mean."""
    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    weights = torch.tensor(_LUMA, dtype=x.dtype, device=x.device).reshape(1, 3, 1, 1)
    return (x * weights).sum(1, keepdim=True)


def smooth(x: Tensor) -> Tensor:
    """Return each channel passed through the 3×3 filter (1 1 1; 1 5 1; 1 1 1)/13, edges repeated.

    Shapes: (b, c, h, w) → the same.
    """
    height, width = x.shape[-2:]
    wide = functional.pad(x, (1, 1, 1, 1), mode="replicate")
    around = sum((wide[..., i : i + height, j : j + width] for i in range(3) for j in range(3)), torch.zeros_like(x))
    return (around + 4 * x) / 13


def posterize(u: Tensor, bits: Tensor) -> Tensor:
    """Keep ``bits`` (b, 1, 1, 1) of the eight bits of images in [0, 1]."""
    step = torch.exp2(8 - torch.round(bits))
    return torch.floor(u * 255 / step) * step / 255


def solarize(u: Tensor, threshold: Tensor) -> Tensor:
    """Turn pixels at or above the threshold (b, 1, 1, 1) into their negative; images in [0, 1]."""
    return torch.where(u >= threshold, 1 - u, u)


def autocontrast(u: Tensor) -> Tensor:
    """Stretch each channel of each image to [0, 1]; a flat channel stays.

    Shapes: (b, c, h, w) → the same.
    """
    low, high = u.amin((-2, -1), keepdim=True), u.amax((-2, -1), keepdim=True)
    width = high - low
    return torch.where(width > 0, (u - low) / torch.where(width > 0, width, torch.ones_like(width)), u)


def equalize(u: Tensor) -> Tensor:
    """Make the grey values of each channel of each image equally frequent; a flat channel stays.

    u' = (F(u) − F(min)) / (1 − F(min)),  F the share of pixels at or below a value

    Shapes: (b, c, h, w) → the same.
    """
    flat = u.flatten(2).contiguous()
    order = flat.sort(-1)[0].contiguous()
    rank = torch.searchsorted(order, flat, right=True).to(u.dtype)
    first = rank.amin(-1, keepdim=True)
    left = flat.shape[-1] - first
    even = (rank - first) / torch.where(left > 0, left, torch.ones_like(left))
    return torch.where(left > 0, even, flat).reshape(u.shape)


def distort(x: Tensor, ops: tuple[str, ...], which: Tensor, amount: Tensor, sign: Tensor, reach: Reach) -> Tensor:
    """Return each image after one distortion of its own.

    Outside ``vmap`` and compiled code each operation runs on the images that drew it, else on all of them.

    Args:
        x: images (b, c, h, w).
        ops: names out of ``GEOMETRIC``, ``PHOTOMETRIC`` and ``identity``.
        which: position in ``ops`` for each image, int64 (b,); best on the host, for it is read there.
        amount: how strong, (b,) in [0, 1].
        sign: direction, (b,) of ±1.
        reach: what amount 1 means.

    """
    known = not is_batched() and not torch.compiler.is_compiling()
    return (_distort_apart if known else _distort_all)(x, ops, which, amount.to(x), sign.to(x), reach)


def _distort_apart(
    x: Tensor, ops: tuple[str, ...], which: Tensor, amount: Tensor, sign: Tensor, reach: Reach
) -> Tensor:
    """Sort the images by operation, change each stretch, and put them back in order."""
    order = torch.argsort(which)
    counts = torch.bincount(which, minlength=len(ops)).tolist()
    which, back, order = which[order], torch.argsort(order).to(x.device), order.to(x.device)
    x, amount, sign = (torch.index_select(t, 0, order) for t in (x, amount, sign))
    low, width = _range(x)
    parts, start = [], 0
    for kind, run in groupby(range(len(ops)), lambda i: _kind(ops[i])):
        for group in [list(run)] if kind == "geometric" else [[i] for i in run]:
            here = slice(start, start + sum(counts[i] for i in group))
            start = here.stop
            if here.start == here.stop:
                continue
            if kind == "geometric":
                motion = _motion(x[here], ops, which[here].to(x.device), amount[here] * sign[here], reach)
                parts.append(warp(x[here], motion))
            elif kind == "photometric":
                u = (x[here] - low) / width
                changed = _recolor(ops[group[0]], u, amount[here], sign[here], reach)
                parts.append(changed.clamp(0, 1) * width + low)
            else:
                parts.append(x[here])
    return torch.index_select(torch.cat(parts), 0, back)


def distort_mask(x: Tensor, ops: tuple[str, ...], which: Tensor, amount: Tensor, sign: Tensor, reach: Reach) -> Tensor:
    """Return masks moved as ``distort`` moves their images: geometric operations alone, nearest pixel.

    Shapes: x (b, c, h, w) → the same; which, amount and sign (b,).
    """
    which, amount, sign = which.to(x.device), amount.to(x), sign.to(x)
    moves = [i for i, name in enumerate(ops) if name in GEOMETRIC]
    moved = (which[:, None] == torch.tensor(moves, device=which.device)).any(1)
    return choose(moved, warp(x, _motion(x, ops, which, amount * sign, reach), nearest=True), x)


def _kind(name: str) -> str:
    return "geometric" if name in GEOMETRIC else "photometric" if name in PHOTOMETRIC else "none"


def _range(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lowest value and the width of the range, 1 where there is none."""
    low, high = span(x)
    return low, torch.where(high > low, high - low, torch.ones_like(low))


def _distort_all(x: Tensor, ops: tuple[str, ...], which: Tensor, amount: Tensor, sign: Tensor, reach: Reach) -> Tensor:
    out, which = x, which.to(x.device)
    if set(ops) & set(GEOMETRIC):
        moves = [i for i, name in enumerate(ops) if name in GEOMETRIC]
        moved = (which[:, None] == torch.tensor(moves, device=which.device)).any(1)
        out = choose(moved, warp(x, _motion(x, ops, which, amount * sign, reach)), x)
    low, width = _range(x)
    u = (x - low) / width
    for i, name in enumerate(ops):
        if name in PHOTOMETRIC:
            changed = _recolor(name, u, amount, sign, reach).clamp(0, 1) * width + low
            out = choose(which == i, changed, out)
    return out


def _motion(x: Tensor, ops: tuple[str, ...], which: Tensor, size: Tensor, reach: Reach) -> Tensor:
    def of(name: str, factor: float) -> Tensor:
        here = which == ops.index(name) if name in ops else torch.zeros_like(which, dtype=torch.bool)
        return torch.where(here, size * factor, torch.zeros_like(size))

    angle = of("rotate", math.radians(reach.degrees))
    cos, sin = torch.cos(angle), torch.sin(angle)
    right, down = of("translate_x", reach.translate * x.shape[3]), of("translate_y", reach.translate * x.shape[2])
    return affine(cos, of("shear_x", reach.shear) - sin, right, of("shear_y", reach.shear) + sin, cos, down)


def _recolor(name: str, u: Tensor, amount: Tensor, sign: Tensor, reach: Reach) -> Tensor:
    if name == "posterize":
        return posterize(u, per_image(8 - amount * (8 - reach.bits), u))
    if name == "solarize":
        return solarize(u, per_image(1 - amount, u))
    if name in ("autocontrast", "equalize"):
        return autocontrast(u) if name == "autocontrast" else equalize(u)
    if name == "brightness":
        base = torch.zeros_like(u)
    elif name == "contrast":
        base = gray(u).mean((-2, -1), keepdim=True)
    else:
        base = gray(u) if name == "color" else smooth(u)
    return base + per_image(1 + sign * amount * reach.factor, u) * (u - base)
