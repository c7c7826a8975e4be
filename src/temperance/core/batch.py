"""What flows through a training step: batches in, passes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from temperance.records.errors import SettingError

T = TypeVar("T")
ANSWERS_ONLY: Any = object()  # as ``targets``: the pass is run for its outputs, no loss is computed


class Mixed(NamedTuple):
    """Two targets and the share of the first; only the innermost objective knows it.

    Shapes: first, second as the loss takes them · share () or (b,), in [0, 1].
    """

    first: Tensor
    second: Tensor
    share: Tensor


class Batch(NamedTuple):
    """One batch. ``inputs``: a tensor (``model(x)``), a tuple (``model(*x)``) or a dict (``model(**x)``).

    Attributes:
        inputs: what the model takes.
        targets: what the loss takes, or ``Mixed``.
        weight: (b,) weights of the examples, or None.
        index: (b,) positions in the training set, int64, for techniques that remember examples; or None.

    """

    inputs: Any
    targets: Any
    weight: Tensor | None = None
    index: Tensor | None = None  # type: ignore[assignment]  # shadows tuple.index on purpose

    @property
    def size(self) -> int:
        """Count of examples."""
        return int(first_leaf(self.inputs).shape[0])


class Pass(NamedTuple):
    """One evaluation of the objective.

    Attributes:
        loss: () the value that gradients are taken of.
        outputs: what the model gave.
        buffers: buffers after the pass (population and ``compile``; solo's live in the module).
        memory: new memory by address of the regularizer.
        notes: what a technique wants to tell, detached.
        batch: the batch as the model and the loss took it, so after mixing; empty where nobody told.

    """

    loss: Tensor
    outputs: Any
    buffers: dict[str, Tensor]
    memory: dict[str, dict[str, Any]]
    notes: dict[str, Tensor]
    batch: Any = ()

    def remember(self, address: str, **values: Any) -> Pass:
        """Return this pass with new memory for the regularizer at ``address``."""
        return self._replace(memory={**self.memory, address: {**self.memory.get(address, {}), **values}})


def to_batch(value: Any) -> Batch:
    """Turn what a loader yields into a ``Batch``: a Batch, ``(inputs, targets)`` or a dict with these keys.

    Raises:
        SettingError: it is none of these.

    """
    if isinstance(value, Batch):
        return value
    if isinstance(value, (tuple, list)) and len(value) in (2, 3, 4):
        return Batch(*value)
    if isinstance(value, dict) and {"inputs", "targets"} <= value.keys():
        return Batch(value["inputs"], value["targets"], value.get("weight"), value.get("index"))
    raise SettingError(
        f"a batch of type {type(value).__name__} was given",
        "a batch is Batch(inputs, targets), a tuple (inputs, targets) or a dict with these keys",
        "Wrap it: session.step(Batch(inputs=x, targets=y))",
    )


def call(model: Callable[..., T], inputs: Any) -> T:
    """Call the model as the type of ``inputs`` says."""
    if isinstance(inputs, dict):
        return model(**inputs)
    if isinstance(inputs, (tuple, list)):
        return model(*inputs)
    return model(inputs)


def first_leaf(inputs: Any) -> Tensor:
    """Return the first tensor of a nest of tuples, lists and dicts.

    Shapes: (b, …).
    """
    while not isinstance(inputs, Tensor):
        inputs = next(iter(inputs.values())) if isinstance(inputs, dict) else inputs[0]
    return inputs


def map_leaves(function: Callable[[Tensor], Tensor], inputs: Any) -> Any:
    """Apply ``function`` to each tensor of a nest; anything else stays."""
    if isinstance(inputs, Tensor):
        return function(inputs)
    if isinstance(inputs, dict):
        return {key: map_leaves(function, value) for key, value in inputs.items()}
    if isinstance(inputs, (tuple, list)):
        return type(inputs)(map_leaves(function, value) for value in inputs)
    return inputs


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move every tensor of a batch."""
    moved = map_leaves(lambda leaf: leaf.to(device, non_blocking=True), batch[:2])
    rest = [None if part is None else part.to(device, non_blocking=True) for part in batch[2:]]
    return Batch(*moved, *rest)


def reduce(losses: Tensor, weight: Tensor | None) -> Tensor:
    """Turn a loss () or (b, …) into (): the mean, or Σ wᵢ lᵢ / Σ wᵢ where examples are weighted.

    Raises:
        SettingError: weights beside one number.

    """
    if weight is None:
        return losses.mean() if losses.dim() else losses
    if losses.dim() == 0:
        raise SettingError(
            "the batch has weights but the loss returned one number",
            "weights need a loss of shape (b,)",
            "Use reduction='none' in the loss",
        )
    per_example = losses.flatten(1).mean(1) if losses.dim() > 1 else losses
    return (per_example * weight).sum() / weight.sum()


def plus(loss: Tensor, term: Tensor, factor: float | Tensor) -> Tensor:
    """Return loss + factor·term, (); one operation where the factor is a number."""
    if isinstance(factor, Tensor):
        return loss + factor.to(term.dtype) * term
    return torch.add(loss, term, alpha=factor)


def between(loss: Tensor, other: Tensor, share: float | Tensor) -> Tensor:
    """Return (1 − share)·loss + share·other, (), in one operation."""
    return torch.lerp(loss.to(other.dtype), other, share.to(other.dtype) if isinstance(share, Tensor) else share)


def measure(loss: Callable[[Any, Any], Tensor], outputs: Any, batch: Batch) -> Tensor:
    """Evaluate the loss of a batch, also with ``Mixed`` targets: share·l(first) + (1 − share)·l(second). Returns ().

    Where the targets are ``ANSWERS_ONLY`` it is 0.

    Raises:
        SettingError: a share per example beside a loss that is one number.

    """
    targets = batch.targets
    if targets is ANSWERS_ONLY:
        return first_leaf(outputs).new_zeros(())
    if not isinstance(targets, Mixed):
        return reduce(loss(outputs, targets), batch.weight)
    first, second = loss(outputs, targets.first), loss(outputs, targets.second)
    share = targets.share
    if share.dim() and first.dim() == 0:
        raise SettingError(
            "examples are mixed one by one but the loss returned one number",
            "a share per example needs a loss of shape (b,)",
            "Use reduction='none' in the loss",
        )
    if share.dim() and first.dim() > 1:
        share = share.reshape(-1, *[1] * (first.dim() - 1))
    return reduce(torch.lerp(second, first, share.to(first.dtype)), batch.weight)
