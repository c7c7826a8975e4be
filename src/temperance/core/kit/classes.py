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

from temperance.core.batch import Batch, Mixed
from temperance.core.nest import described
from temperance.records.errors import RecipeError

UNTOLD = Batch((), None)  # nothing is known of loss and targets
# fewer classes than a register holds numbers, and from this many numbers on, torch's own layout is the slower one
_NARROW = 16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 8
_SMALL = 4096


def class_logits(outputs: Any, owner: str, axis: int | None = None, *, batch: Batch = UNTOLD) -> Tensor:
    """Return the logits with the classes on the last axis, (b, …, c); at least float32.

    Args:
        outputs: what the model gave.
        owner: technique that asks, for the message.
        axis: axis of the classes; None: see ``class_axis``.
        batch: the batch as the loss took it; its convention and targets tell what the outputs are.

    Raises:
        RecipeError: the outputs are not logits of two or more classes, or the loss is not one of classes.

    """
    where = class_axis(outputs, owner, axis, batch=batch)
    logits: Tensor = outputs if where == -1 else outputs.movedim(where, -1)
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def class_axis(outputs: Any, owner: str, axis: int | None = None, *, batch: Batch = UNTOLD) -> int:
    """Return the axis of the classes; −1 for the last.

    Outputs of two axes have them last. Of more axes: where torch's own cross-entropy has them, 1, if it is the loss;
    else where the shape of the class numbers fits, (b, c, t) to (b, t); else 1 for four or more axes and the last for
    three (members).

    Raises:
        RecipeError: there is no such axis; the message says what the model or the loss is instead.

    """
    refuse_other_losses(owner, batch)
    if not isinstance(outputs, Tensor):
        raise no_logits(outputs, owner)
    if outputs.dim() < 2:
        raise RecipeError(
            f"the model gave one number per row, {tuple(outputs.shape)}",
            f"{owner} needs logits (b, …, c) of two or more classes",
            f"Give the model one output per class, or leave {owner} out where it predicts numbers",
        )
    where = _fitting_axis(outputs, owner, batch) if axis is None else axis
    if outputs.shape[where] < 2:
        raise RecipeError(
            f"the model gives {outputs.shape[where]} class on axis {where}",
            f"{owner} needs two or more classes",
            "Give the model one output per class, or set axis",
        )
    return -1 if where == outputs.dim() - 1 else where


def no_logits(outputs: Any, owner: str) -> RecipeError:
    """Return the error of an answer in which no logits are known."""
    return RecipeError(
        f"the model gave {described(outputs)}, and none of its parts is known as logits",
        f"{owner} needs logits (b, …, c)",
        "Say where they are: attach(..., logits=lambda out: …)",
    )


def _fitting_axis(outputs: Tensor, owner: str, batch: Batch) -> int:
    if outputs.dim() == 2:
        return -1
    if batch.convention.axis is not None:
        return batch.convention.axis
    targets = batch.targets.first if isinstance(batch.targets, Mixed) else batch.targets
    if isinstance(targets, Tensor) and not targets.is_floating_point() and targets.dim() == outputs.dim() - 1:
        first, last = (outputs.shape[0], *outputs.shape[2:]) == targets.shape, outputs.shape[:-1] == targets.shape
        if first and last:
            raise RecipeError(
                f"the outputs have shape {tuple(outputs.shape)} and the class numbers {tuple(targets.shape)}, so the "
                "classes may stand on axis 1 or on the last",
                f"{owner} must know which",
                f"Say it: {owner}(axis=1) or {owner}(axis=-1), or give attach the loss F.cross_entropy itself",
            )
        if first != last:
            return 1 if first else -1
    return 1 if outputs.dim() >= 4 else -1


_INSTEAD = {
    "labels": (
        "where a row may have several labels",
        "Use Focal or LabelSmoothing, which know it, or leave",
    ),
    "numbers": ("which compares numbers, not classes", "Leave"),
    "probabilities": ("which takes probabilities, no logits", "Use the loss with logits, or leave"),
    "whole": ("which compares the rows of a batch with each other", "Leave"),
    "shifted": (
        "and only it knows whether it compares place t with t + 1, as causal language models do",
        "Give attach(..., loss=None), the model's own, or logits= that fit the targets place by place; or leave",
    ),
}


def refuse_other_losses(owner: str, batch: Batch) -> None:
    """Raise where the loss or the targets are not of one class per place, with what they are.

    Raises:
        RecipeError: several labels, numbers, probabilities, a loss of the whole batch, several heads.

    """
    convention, targets = batch.convention, batch.targets
    if convention.kind in _INSTEAD:
        why, remedy = _INSTEAD[convention.kind]
        accepted = f"{owner} needs one class per row or place"
        raise RecipeError(f"the loss is {convention.name}, {why}", accepted, f"{remedy} {owner} out")
    first = targets.first if isinstance(targets, Mixed) else targets
    if isinstance(first, (dict, list, tuple)):
        raise RecipeError(
            f"the batch has {len(first)} targets ({type(first).__name__})",
            f"{owner} acts on one head of classes",
            f"Leave {owner} out where a model has several heads",
        )


def label_logits(outputs: Any, owner: str) -> Tensor:
    """Return the logits of several labels per row, one each, (b, …); at least float32.

    Raises:
        RecipeError: the model gave no tensor.

    """
    if not isinstance(outputs, Tensor):
        raise no_logits(outputs, owner)
    return outputs.float() if outputs.dtype in (torch.float16, torch.bfloat16) else outputs


def log_softmax(logits: Tensor) -> Tensor:
    """Return log softmax over the last axis, same shape.

    For fewer classes than a register of the CPU holds numbers torch's kernel for the last axis works number by number;
    the one for the first axis takes many rows at once, which is quicker for large batches, the turning included.
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


def per_label(
    logits: Tensor, labels: Tensor, function: Callable[[Tensor], Tensor], owner: str, *, by_member: bool = False
) -> Tensor:
    """Return ``function(−log p of the label)`` per place; members that leave a row out do not count in its mean.

    Args:
        logits: (b, …, c).
        labels: class numbers, or probabilities over whose classes the mean is taken.
        function: elementwise, 0 at 0 (so that a place left out adds nothing).
        owner: technique that asks, for the message.
        by_member: labels (b, k) are those of members; else of places such as tokens.

    Returns:
        (b, …), or (b,) for labels per member.

    """
    logs = log_softmax(logits)
    if labels.is_floating_point():
        return expected(function(-logs), labels, owner)
    if logs.dim() == 2 and labels.dim() == 1 and labels.shape[0] == logs.shape[0]:  # the usual case, in one operation
        return function(functional.nll_loss(logs, labels.clamp_min(-1), reduction="none", ignore_index=-1))
    values = function(-expected(logs, labels, owner))
    return mean_of_kept(values, labels) if by_member else values


def mean_of_kept(values: Tensor, labels: Tensor) -> Tensor:
    """Return (b,) of (b, k) where labels are given per member: the mean over those that keep the row; else as it is."""
    if labels.is_floating_point() or labels.dim() != 2 or values.dim() != 2:
        return values
    kept = (labels >= 0).to(values.dtype)
    return (values * kept).sum(1) / kept.sum(1).clamp_min(1.0)


def spread(rows: Tensor, axes: int) -> Tensor:
    """Return (b, c) as (b, 1, …, c) with so many axes."""
    return rows.reshape(rows.shape[0], *[1] * (axes - rows.dim()), *rows.shape[1:])


def member_mean(values: Tensor, owner: str, *, batch: Batch = UNTOLD) -> Tensor:
    """Return (b, c) of (b, c) or (b, k, c): the mean over members.

    Raises:
        RecipeError: there are more axes, or a class number per token, so that an example is not one place.

    """
    targets = batch.targets.first if isinstance(batch.targets, Mixed) else batch.targets
    of_places = isinstance(targets, Tensor) and targets.dim() == 2 and not targets.is_floating_point()
    if values.dim() > 3 or (values.dim() == 3 and of_places and not batch.convention.by_member):
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


def require_plain_entropy(batch: Batch, owner: str) -> None:
    """Refuse a cross-entropy that weighs or softens classes, for a technique that puts its own term in its place.

    Raises:
        RecipeError: the loss is such a one; "loss − cross-entropy + own term" may then even be negative.

    """
    convention = batch.convention
    if convention.is_weighted or convention.smoothing or convention.is_sum:
        raise RecipeError(
            f"the loss is {convention.name} with class weights, label smoothing or a sum of its own",
            f"{owner} takes the place of a plain cross-entropy, the mean over rows",
            f"Use nn.CrossEntropyLoss() with none of these, or leave {owner} out",
        )
