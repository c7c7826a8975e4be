"""The micro-batches of one update: how much of a mean over all their rows each of them makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from temperance.core.batch import Batch
from temperance.core.devices import widened

if TYPE_CHECKING:
    from temperance.core.criterion import Criterion

Count = Callable[[Batch], Any]


class Micros:
    """Shares of micro-batches in the user's loss and in the terms of techniques.

    A micro-batch's whole loss is multiplied by its share in the user's loss. Where that loss divides by something else
    than a technique's mean does (weights of classes; rows, where the technique counts places), the technique's term
    needs a share of its own, so it is multiplied by (own share)/(share in the loss) first.

    Args:
        batches: the micro-batches of one update.
        loss: knows how each counts.

    """

    def __init__(self, batches: Sequence[Batch], loss: Criterion) -> None:
        self.batches, self.at = batches, 0
        self._loss = loss

    @cached_property
    def shares(self) -> list[Any]:
        """The share of each in the user's loss; to be asked after the first pass, which shows what it divides by."""
        return self._loss.shares(self.batches)

    def on(self, batch: Batch) -> Batch:
        """Return a batch, made of the micro-batch that is run now, that knows which part of the update it is."""
        return batch._replace(portion=partial(self.factor, self.at))

    def factor(self, at: int, count: Count | None = None) -> Any:
        """Return (own share)/(share in the loss) of a micro-batch, a number or (); None where both are the same.

        Args:
            at: which of the micro-batches.
            count: what the mean divides by in a batch; None: the rows or places that count, see ``batch.mean``.

        """
        if count is None:
            if self._loss.counts_as_techniques:
                return None
            count = self._loss.own_count
        counts = [widened(one) if isinstance(one := count(batch), Tensor) else one for batch in self.batches]
        own, share = counts[at] / _nonzero(sum(counts[1:], counts[0])), self.shares[at]
        return own / _nonzero(share)  # a share of 0 takes the whole part away, see ``batch.part_of``


def _nonzero(value: Any) -> Any:
    return torch.where(value > 0, value, torch.ones_like(value)) if isinstance(value, Tensor) else value
