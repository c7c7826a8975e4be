"""Class outputs, as the techniques on targets read them: logits with the classes last, and what the label asks of them.

Shapes: outputs (b, c), (b, k, c) with members, (b, c, h, w), or any other with ``axis``. Labels: class numbers that fit
the outputs without their class axis (missing member axes are added; −1 leaves a place out), or probabilities (b, c).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from temperance.records.errors import RecipeError

_NARROW, _SMALL = 16, 1024  # classes on the last axis, and numbers in all, below which torch's own layout is quicker


def class_logits(outputs: Any, owner: str, axis: int | None = None) -> Tensor:
    """Return the logits with the classes on the last axis, (b, …, c); at least float32.

    Args:
        outputs: what the model gave.
        owner: technique that asks, for the message.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        RecipeError: the outputs are not logits of two or more classes.

    """
    if not isinstance(outputs, Tensor) or outputs.dim() < 2:
        raise RecipeError(
            f"the model gave {type(outputs).__name__} of shape {tuple(getattr(outputs, 'shape', ()))}",
            f"{owner} needs logits (b, …, c) of a classifier",
            f"Leave {owner} out of recipes for regression",
        )
    where = (1 if outputs.dim() >= 4 else -1) if axis is None else axis
    if outputs.shape[where] < 2:
        raise RecipeError(
            f"the model gives {outputs.shape[where]} class on axis {where}",
            f"{owner} needs two or more classes",
            "Give the model one output per class, or set axis",
        )
    logits = outputs if where in (-1, outputs.dim() - 1) else outputs.movedim(where, -1)
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def log_softmax(logits: Tensor) -> Tensor:
    """Return log softmax over the last axis, same shape.

    For less than 16 classes torch's kernel for the last axis works number by number on a CPU; the one for the first
    axis takes many rows at once, which is quicker, the turning included.
    """
    if _is_slow(logits):
        return torch.log_softmax(logits.movedim(-1, 0), 0).movedim(0, -1)
    return torch.log_softmax(logits, -1)


def softmax(logits: Tensor) -> Tensor:
    """Return softmax over the last axis, same shape, in the layout that is quicker (see ``log_softmax``)."""
    if _is_slow(logits):
        return torch.softmax(logits.movedim(-1, 0), 0).movedim(0, -1)
    return torch.softmax(logits, -1)


def _is_slow(logits: Tensor) -> bool:
    return logits.device.type == "cpu" and logits.shape[-1] < _NARROW and logits.numel() >= _SMALL


def expected(values: Tensor, labels: Tensor, owner: str) -> Tensor:
    """Return per place the value of the class that the label asks for, (b, …); 0 where a place is left out.

    Args:
        values: one number per class, (b, …, c).
        labels: class numbers, or probabilities (b, c) over whose classes the mean is taken.
        owner: technique that asks, for the message.

    Raises:
        RecipeError: the labels do not fit the values.

    """
    if labels.is_floating_point():
        if labels.shape[0] != values.shape[0] or labels.shape[-1] != values.shape[-1]:
            raise _unfit(labels, values, owner)
        return (spread(labels, values.dim()) * values).sum(-1)
    if labels.dim() >= values.dim() or tuple(labels.shape) != tuple(values.shape[: labels.dim()]):
        raise _unfit(labels, values, owner)
    places = labels.reshape(*labels.shape, *[1] * (values.dim() - 1 - labels.dim())).expand(values.shape[:-1])
    chosen = values.gather(-1, places.clamp_min(0).unsqueeze(-1)).squeeze(-1)
    return torch.where(places >= 0, chosen, torch.zeros_like(chosen))


def per_label(logits: Tensor, labels: Tensor, function: Callable[[Tensor], Tensor], owner: str) -> Tensor:
    """Return ``function(−log p of the label)`` per place; members that leave a row out do not count in its mean.

    Args:
        logits: (b, …, c).
        labels: class numbers, or probabilities over whose classes the mean is taken.
        function: elementwise, 0 at 0 (so that a place left out adds nothing).
        owner: technique that asks, for the message.

    Returns:
        (b, …), or (b,) for labels per member.

    """
    logs = log_softmax(logits)
    if labels.is_floating_point():
        return expected(function(-logs), labels, owner)
    if logs.dim() == 2 and labels.dim() == 1 and labels.shape[0] == logs.shape[0]:  # the usual case, in one operation
        return function(functional.nll_loss(logs, labels.clamp_min(-1), reduction="none", ignore_index=-1))
    return mean_of_kept(function(-expected(logs, labels, owner)), labels)


def mean_of_kept(values: Tensor, labels: Tensor) -> Tensor:
    """Return (b,) of (b, k) where labels are given per member: the mean over those that keep the row; else as it is."""
    if labels.is_floating_point() or labels.dim() != 2 or values.dim() != 2:
        return values
    kept = (labels >= 0).to(values.dtype)
    return (values * kept).sum(1) / kept.sum(1).clamp_min(1.0)


def spread(rows: Tensor, axes: int) -> Tensor:
    """Return (b, c) as (b, 1, …, c) with so many axes."""
    return rows.reshape(rows.shape[0], *[1] * (axes - rows.dim()), *rows.shape[1:])


def member_mean(values: Tensor, owner: str) -> Tensor:
    """Return (b, c) of (b, c) or (b, k, c): the mean over members.

    Raises:
        RecipeError: there are more axes, so that an example is not one place.

    """
    if values.dim() > 3:
        raise RecipeError(
            f"the model gives outputs of shape {tuple(values.shape)}",
            f"{owner} needs one answer per example: (b, c), or (b, k, c) with members",
            f"Leave {owner} out of recipes for dense prediction",
        )
    return values if values.dim() == 2 else values.mean(1)


def _unfit(labels: Tensor, values: Tensor, owner: str) -> RecipeError:
    return RecipeError(
        f"the labels have shape {tuple(labels.shape)} and the outputs {tuple(values.shape)} (classes last)",
        f"{owner} needs class numbers for each place, or probabilities (b, c)",
        "Give labels as the loss takes them, or set axis",
    )
