"""Which rows and places of a batch count: one mask of left-out classes for losses, techniques and validation."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from temperance.core.convention import Convention
from temperance.core.random import is_batched


class Mixed(NamedTuple):
    """Two targets and the share of the first; only the innermost objective knows it.

    Shapes: first, second as the loss takes them · share () or (b,), in [0, 1].
    """

    first: Any
    second: Any
    share: Tensor


def counted(targets: Any, convention: Convention) -> Tensor | None:
    """Return how far each place counts for a technique over classes, in the shape of the class numbers; None: all do.

    Left out are negative class numbers and ``ignore_index``. For ``Mixed`` targets a place counts by the shares of
    those of its two classes that do.
    """
    if isinstance(targets, Mixed):
        one, two = counted(targets.first, convention), counted(targets.second, convention)
        return blend_kept(one, two, targets.share)
    if not is_classes(targets, convention):
        return None
    ignore = convention.ignore_index
    if may_look(targets):  # one cheap look spares the usual batch, where all count, every masked operation
        if not targets.numel():
            return None
        lowest = int(targets.min())
        if lowest >= 0 and (ignore < 0 or not bool((targets == ignore).any())):
            return None
    left: Tensor = targets < 0
    return torch.logical_not(left if ignore < 0 else left | (targets == ignore))


def ignored(losses: Tensor, targets: Any, convention: Convention) -> Tensor | None:
    """Return how far each place counts in the user's own unreduced loss; None: all do.

    Left out is what carries ``ignore_index`` and what the loss itself gave a 0: a loss that knows nothing of the
    number keeps every place.

    Shapes: losses (b, …) → the same, or None.
    """
    if not is_classes(targets, convention) or targets.shape != losses.shape[: targets.dim()]:
        return None
    left: Tensor = targets == convention.ignore_index
    if may_look(targets) and not bool(left.any()):
        return None
    zero = losses.detach() == 0
    return torch.logical_not(left & (zero.flatten(left.dim()).all(-1) if zero.dim() > left.dim() else zero))


def marked(targets: Any, convention: Convention) -> Any:
    """Return the targets with −1 where they carry an ``ignore_index`` that is no negative number."""
    if isinstance(targets, Mixed):
        return targets._replace(first=marked(targets.first, convention), second=marked(targets.second, convention))
    if convention.ignore_index < 0 or not is_classes(targets, convention):
        return targets
    return torch.where(targets == convention.ignore_index, torch.full_like(targets, -1), targets)


def is_classes(targets: Any, convention: Convention) -> bool:
    """Return whether targets are class numbers, among which some may be left out."""
    if not isinstance(targets, Tensor) or convention.kind in ("labels", "probabilities", "numbers", "whole"):
        return False
    return targets.dim() > 0 and not targets.is_floating_point() and targets.dtype != torch.bool


def blend_kept(one: Tensor | None, two: Tensor | None, share: Tensor) -> Tensor | None:
    """Return the mask of two blended targets: share·one + (1 − share)·two.

    Shapes: one and two (b, …), share () or (b,) → (b, …).
    """
    if one is None and two is None:
        return None
    known = one if one is not None else two
    assert known is not None
    first = torch.ones_like(known) if one is None else one
    second = torch.ones_like(known) if two is None else two
    share = share.reshape(-1, *[1] * (known.dim() - 1)) if share.dim() else share
    return torch.lerp(second.to(share.dtype), first.to(share.dtype), share)


def may_look(targets: Tensor) -> bool:
    """Return whether reading one number is cheap here: on a GPU it waits, and mapped or compiled code cannot.

    Shapes: any.
    """
    return targets.device.type == "cpu" and not is_batched() and not torch.compiler.is_compiling()
