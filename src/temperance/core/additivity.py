"""Whether the losses of micro-batches add up to that of the whole batch, asked once of a loss that does not say it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from temperance.core.batch import Batch, Pass, part_of
from temperance.core.criterion import Criterion
from temperance.core.nest import fields_of, first_leaf, is_sequence, tensors

_TRIES = 8  # steps after which a loss whose micro-batches could not be compared is left alone
_LOOSE = 1e-3  # relative; the whole batch may be summed in another order, or in half precision


class NotAdditive(UserWarning):
    """The losses of micro-batches, by their shares, are not the loss of the whole batch."""


class Additivity:
    """Compares, in the first step of several micro-batches, their losses with the loss of all their rows at once.

    A loss whose function tells nothing may divide by what it alone knows (``lambda out, y: F.cross_entropy(out, y,
    weight=w)`` by the weights of the classes that it meets), and then no share makes the parts the whole. The loss is
    asked again, without gradient, for outputs that are there already; torch's generators are put back. A loss that
    draws, of one number per row, or of answers that cannot be joined is not judged.

    Args:
        criterion: the user's loss.

    """

    def __init__(self, criterion: Criterion) -> None:
        self._criterion = criterion
        self._left = _TRIES if criterion.loss is not None and criterion.convention.kind == "unknown" else 0

    def look(self, passes: Sequence[Pass], micros: Sequence[Batch]) -> None:
        """Warn where the parts do not make the whole; nothing once that is known.

        Args:
            passes: of the micro-batches, with the answers of the model.
            micros: the micro-batches as they were given.

        Warns:
            NotAdditive: the gradient of the micro-batches is not that of the whole batch.

        """
        if not self._left:
            return
        self._left -= 1
        if any(one.weight is not None for one in micros):
            return
        pairs = [
            (one.outputs if one.raw == () else one.raw, batch.targets)
            for one, batch in zip(passes, micros, strict=True)
        ]
        if _fit([x for x, _ in pairs]) and _fit([y for _, y in pairs]):  # sequences of several lengths do not
            self._compare(pairs, micros)

    def _compare(self, pairs: Sequence[tuple[Any, Any]], micros: Sequence[Batch]) -> None:
        loss, device = self._criterion, first_leaf(pairs[0][0]).device
        with torch.no_grad(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            whole = loss.value(_joined([x for x, _ in pairs]), _joined([y for _, y in pairs]))
            parts = [loss.value(x, y) for x, y in pairs]
            again = loss.value(*pairs[0])
        if whole.dim() or not torch.equal(again, parts[0]):  # of one number per row, or it draws
            self._left = 0
            return
        shares = loss.shares(micros)
        made = sum((float(part_of(one, share)) for one, share in zip(parts, shares, strict=True)), 0.0)
        self._left = 0
        if abs(made - float(whole)) > max(_LOOSE, 8 * torch.finfo(whole.dtype).eps) * max(abs(float(whole)), 1e-6):
            warnings.warn(
                f"The losses of the micro-batches make {made:.4g}, and {loss.convention.name} of all their rows at "
                f"once is {float(whole):.4g}: it divides by something that it does not tell, such as weights of "
                "classes, so the gradient is not that of the whole batch. Give torch's own loss "
                "(nn.CrossEntropyLoss(weight=…)), a loss that gives one number per row (reduction='none', each times "
                "its weight), or whole batches",
                NotAdditive,
                stacklevel=2,
            )


def _fit(nests: Sequence[Any]) -> bool:
    """Return whether all tensors of answers or targets are rows that can be joined."""
    found = [[*tensors(nest)] for nest in nests]
    if not found[0] or len({len(one) for one in found}) > 1 or any(not x.dim() for one in found for x in one):
        return False
    return all(len({x.shape[1:] for x in same}) == 1 for same in zip(*found, strict=True)) and all(
        len({len(x) for x in one}) == 1 and len(one[0]) for one in found
    )


def _joined(nests: Sequence[Any]) -> Any:
    """Return answers or targets below each other; what is no tensor is that of the first."""
    first = nests[0]
    if isinstance(first, Tensor):
        return torch.cat([*nests])
    named = fields_of(first)
    if named is not None:
        parts = {name: _joined([(fields_of(one) or {})[name] for one in nests]) for name in named}
        return parts if type(first) is dict else type(first)(**parts)
    return type(first)(_joined(same) for same in zip(*nests, strict=True)) if is_sequence(first) else first
