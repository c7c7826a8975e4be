"""Says what is wrong with a batch where the model or the loss broke off; right batches are never looked at."""

from __future__ import annotations

import re
from types import TracebackType

import torch
from torch import Tensor

from temperance.core.batch import ANSWERS_ONLY, Batch
from temperance.core.convention import Convention
from temperance.core.nest import described, is_sequence
from temperance.records.errors import RecipeError, SettingError, TemperanceError

FAULTS = (RuntimeError, ValueError, IndexError, TypeError, AttributeError)  # what torch and forward raise
_BOUNDS = re.compile(r"Target (-?\d+) is out of bounds|index (-?\d+) is out of bounds for dimension")


class fitting:  # noqa: N801 (a context manager, used as a verb)
    """Raise what is wrong with the batch in the place of what model or loss raise about it."""

    __slots__ = ("_batch", "_convention")

    def __init__(self, batch: Batch, convention: Convention) -> None:
        self._batch, self._convention = batch, convention

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(fault, FAULTS):
            blame(fault, self._batch, self._convention)


def blame(fault: Exception, batch: Batch, convention: Convention) -> None:
    """Raise what is wrong with the batch, if it is the batch; see ``misfit``."""
    found = misfit(fault, batch, convention)
    if found is not None:
        raise found from fault


def misfit(fault: Exception, batch: Batch, convention: Convention) -> TemperanceError | None:
    """Return the error that names what is wrong with the batch; None: it is not the batch, as far as can be told.

    Args:
        fault: what was raised.
        batch: as it was given.
        convention: how the loss reads its targets.

    """
    if isinstance(fault, TemperanceError):
        return None
    targets, said = batch.targets, str(fault)
    if "more than 1 value per channel" in said:
        return _of_one_row(batch)
    if targets is None or targets is ANSWERS_ONLY:
        return _without_targets(said, convention) if targets is None else None
    if is_sequence(batch.inputs) and is_sequence(targets) and isinstance(fault, TypeError) and "argument" in said:
        return SettingError(
            f"a batch of inputs {described(batch.inputs)} and targets {described(targets)} was given, and the model or "
            f"the loss does not take them ({said})",
            "a tuple is one batch, (inputs, targets); micro-batches are a list",
            "Give micro-batches as [(x, y), (x, y)]; several inputs need a forward with as many arguments",
        )
    if not isinstance(targets, Tensor):
        return None
    return _of_rows(said, batch, targets) or _of_numbers(said, targets) or _of_classes(said, targets, convention)


def _of_one_row(batch: Batch) -> RecipeError:
    if batch.size == 1:
        return RecipeError(
            "the batch has one row, and BatchNorm needs two or more in training",
            "batches of two rows or more",
            "Give the loader drop_last=True, or join the last row to the batch before it",
        )
    return RecipeError(
        f"BatchNorm got a single value per channel in training, of a batch of {batch.size} rows",
        "two rows or more in each pass, also in those of a technique (GradientPenalty pairs real with generated rows)",
        "Give batches with more rows of each kind, or normalize by LayerNorm or GroupNorm",
    )


def _without_targets(said: str, convention: Convention) -> SettingError | None:
    if "NoneType" not in said:
        return None
    return SettingError(
        f"the batch has no targets (None), and {convention.name} needs them ({said})",
        "a batch is (inputs, targets)",
        "Give the targets, or a loss that does without: attach(..., loss=lambda outputs, _: …)",
    )


def _of_rows(said: str, batch: Batch, targets: Tensor) -> SettingError | None:
    count = targets.shape[0] if targets.dim() else 0
    if count == batch.size or not re.search(r"size|shape|dimension", said):
        return None
    return SettingError(
        f"the batch has {batch.size} rows of inputs and {described(targets)} targets ({said})",
        "one target for each row",
        "Look where the loader makes batches: inputs and targets must be cut alike",
    )


def _of_numbers(said: str, targets: Tensor) -> SettingError | None:
    if "can't be cast to the desired output type" in said and not targets.is_floating_point():
        return SettingError(
            f"the targets are {described(targets)}, and the loss computes with decimals ({said})",
            "targets with decimals",
            "Convert them: y.float()",
        )
    if "must be the same as input size" in said:
        return SettingError(
            f"the targets are {described(targets)} ({said})",
            "targets of the shape of the model's outputs",
            "Bring both to one shape: y[:, None] beside outputs (b, 1), or outputs=lambda out: out.squeeze(1)",
        )
    return None


def _of_classes(said: str, targets: Tensor, convention: Convention) -> SettingError | None:
    if targets.dtype != torch.int64 and re.search("Long|not implemented for|int64|utf-8", said):
        return SettingError(
            f"the class numbers are {described(targets)} ({said})",
            "class numbers are int64",
            "Convert them: y.long()",
        )
    if "multi-target not supported" in said:
        return SettingError(
            f"the targets are {described(targets)}, and the loss wants one class number per row ({said})",
            "class numbers (b,) beside outputs (b, c)",
            "Give y.squeeze(1), or probabilities (b, c) with decimals",
        )
    found = _BOUNDS.search(said)
    number = int(found[1] or found[2]) if found else 0
    if found is None or (found[2] and not bool((targets == number).any())):  # an index of the model's own
        return None
    return SettingError(
        f"a class number of the batch is {number}, which is none of the model's outputs",
        f"class numbers are 0 … c − 1 for c outputs of the model, or {convention.ignore_index} where a place does not "
        "count",
        f"Number the classes from 0; write {convention.ignore_index} where nothing is known, or say "
        f"ignore_index={number} in the loss",
    )
