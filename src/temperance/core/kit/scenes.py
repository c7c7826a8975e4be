"""Images with what lies over them: masks move along, to the pixel; what cannot move along is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from temperance.core.batch import Batch, Mixed, map_leaves
from temperance.core.devices import exact
from temperance.core.kit.images import is_image, on_images
from temperance.core.nest import fields_of, leaves
from temperance.records.errors import RecipeError

_PLACES = ("box", "bbox", "keypoint", "landmark", "polygon")


def on_scenes(batch: Batch, change: Callable[[Tensor, int, bool], Tensor], owner: str) -> Batch:
    """Pass images, and the masks that lie over them, through the same motion: ``change(x, number, is_mask)``.

    Moved along is every target of the size of the images, (b, h, w) or (b, c, h, w), and every input of that size that
    is no image itself: integers, and floats (b, h, w). ``change`` gets them as (b, c, h, w) with ``is_mask`` and must
    not blend their values. All images of one size
    get the same number, so that pictures of one scene stay on each other.

    Raises:
        RecipeError: no image; boxes or key points among the targets, or targets per place of another size, which
            would stay where they were.

    """
    sizes: list[tuple[int, int, int]] = []

    def note(x: Tensor, _: int) -> Tensor:
        sizes.append((x.shape[0], x.shape[-2], x.shape[-1]))
        return x

    on_images(batch.inputs, note, owner)
    known = list(dict.fromkeys(sizes))
    turn = iter([known.index(size) for size in sizes])
    inputs = on_images(batch.inputs, lambda x, _: change(x, next(turn), False), owner)

    def along(leaf: Tensor) -> Tensor:
        size = (leaf.shape[0], leaf.shape[-2], leaf.shape[-1]) if leaf.dim() in (3, 4) else None
        if size not in known:
            return leaf
        wide = leaf[:, None] if leaf.dim() == 3 else leaf
        return change(wide, known.index(size), True).reshape(leaf.shape)

    if any(isinstance(leaf, Tensor) and not is_image(leaf) for leaf in leaves(inputs)):
        inputs = map_leaves(lambda x: x if is_image(x) else along(x), inputs)
    targets = batch.targets
    if isinstance(targets, Tensor) and targets.dim() < 3:
        return batch._replace(inputs=inputs)
    _refuse_what_stays(targets, known, owner)
    return batch._replace(inputs=inputs, targets=map_leaves(along, targets))


def _refuse_what_stays(targets: Any, known: list[tuple[int, int, int]], owner: str) -> None:
    named = fields_of(targets) or {}
    places = [str(name) for name in named if any(part in str(name).lower() for part in _PLACES)]
    if places:
        raise RecipeError(
            f"{owner} moves images, and the targets hold {', '.join(places)}, which it does not know how to move",
            "masks of the images' size move along; boxes and points do not",
            f"Move both in the loader and leave {owner} out",
        )
    for leaf in leaves(targets):
        if (
            isinstance(leaf, Tensor)
            and leaf.dim() >= 3
            and (leaf.dim() > 4 or (leaf.shape[0], leaf.shape[-2], leaf.shape[-1]) not in known)
        ):
            raise RecipeError(
                f"{owner} moves images of {[size[1:] for size in known]}, and the targets have shape "
                f"{tuple(leaf.shape)}, which would stay where they are",
                "targets per place have the images' height and width: (b, h, w) or (b, c, h, w)",
                f"Give them at that size, or leave {owner} out",
            )


def refuse_scenes(batch: Batch, owner: str) -> None:
    """Raise where targets lie over the images, for a technique that cannot move them along.

    Raises:
        RecipeError: there are some.

    """
    targets = batch.targets.first if isinstance(batch.targets, Mixed) else batch.targets
    if isinstance(targets, Tensor) and targets.dim() < 3:
        return
    named = fields_of(targets) or {}
    lies = [str(name) for name in named if any(part in str(name).lower() for part in _PLACES)]
    lies += [f"a target of shape {tuple(x.shape)}" for x in leaves(targets) if isinstance(x, Tensor) and x.dim() >= 3]
    if lies:
        raise RecipeError(
            f"{owner} moves images, and the batch has {', '.join(lies)}, which would stay where it is",
            f"{owner} blends several motions of an image, which no mask can follow",
            "Use RandomFlip, RandomCrop or TrivialAugment, which move masks along",
        )


def move_mask(mask: Tensor, fill: int, move: Callable[[Tensor], Tensor]) -> Tensor:
    """Return a mask after a motion that lets zeros in from outside; in their place comes ``fill``. Exact for codes.

    Shapes: mask (b, c, h, w) of any type; ``move`` gets the widest floats of the device where it has codes.
    """
    if mask.is_floating_point():
        return move(mask)
    return (move(mask.to(exact(mask.device)) - fill) + fill).round().to(mask.dtype)


def mask_fill(batch: Batch, leaf: Tensor) -> int:
    """Return what comes into a mask from outside: ``ignore_index`` where the loss is known to leave it out, else 0.

    Shapes: leaf (b, h, w) or (b, 1, h, w).
    """
    known = batch.convention.kind == "classes" and not leaf.is_floating_point() and leaf.dtype != torch.bool
    fill = batch.convention.ignore_index
    return fill if known and (leaf.dtype != torch.uint8 or 0 <= fill <= 255) else 0
