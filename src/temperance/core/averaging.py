"""What averages of weights share: their declarations, and BatchNorm statistics for what they serve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, ClassVar

import torch
from torch import nn

from temperance.core.batch import Batch, call
from temperance.core.devices import exact
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Memory, Rank, Regularizer
from temperance.core.rules import Rule
from temperance.core.statistics import Moved
from temperance.core.wrappers import uncompiled
from temperance.records.errors import RecipeError


class Average(Regularizer):
    """A technique that serves other weights than it trains: ``memory["mean"]``, unless it overrides ``served``."""

    family: ClassVar[str] = "averaging"
    rank: ClassVar[Rank] = Rank.AVERAGE
    averages: ClassVar[bool] = True
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("averages",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("averages", "refuse", "each decides which weights are served", "Keep one of them"),
    )

    def served(self, params: Leaves, memory: Memory) -> Leaves:
        """Return the mean."""
        mean: Leaves = memory["mean"]
        return mean


def zero(params: Leaves, context: Context) -> Any:
    """Return the start of a count, for ``begin``: a number in solo, which is free to add to, a tensor elsewhere."""
    return 0.0 if params.owned else torch.zeros((), dtype=exact(context.device), device=context.device)


def first_of(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Return an iterator over batches of which the first has been fetched: nothing was changed yet if there is none.

    Raises:
        RecipeError: there is no batch.

    """
    rest = iter(batches)
    first = next(rest, None)
    if first is None:
        raise RecipeError(
            "no batch to estimate the statistics of BatchNorm from: the iterator is used up, or the list is empty",
            "at least one batch of training rows",
            "Pass a loader or a list: session.finish(batches=train_loader); the model's statistics are as they were",
        )
    return chain((first,), rest)


def refresh_statistics(model: nn.Module, layers: Sequence[nn.Module], batches: Iterable[Batch]) -> None:
    """Estimate running means and variances anew as plain averages over ``batches``, in one pass in training mode.

    Only the given layers are in training mode, so that nothing else (dropout) acts. A batch of one row (a loader's last
    one) has no variance and is left out, unless there are no others. After an error the statistics are as before.

    Source: Izmailov et al. (2018), arXiv:1803.05407, section 3.2.

    Raises:
        RecipeError: there is no batch.

    """
    rows, before = first_of(batches), Moved(layers)
    try:
        _estimate(model, layers, rows)
    except BaseException:
        before.put_back()
        raise


def _estimate(model: nn.Module, layers: Sequence[nn.Module], batches: Iterable[Batch]) -> None:
    modes = [(m, m.training) for m in model.modules()]
    momenta = [(m, m.momentum) for m in layers]
    lone: list[Batch] = []
    count = 0
    model.eval()
    for m in layers:
        m.reset_running_stats()  # type: ignore[operator]
        m.momentum, m.training = None, True  # type: ignore[assignment]
    try:
        with torch.no_grad(), uncompiled():  # compiling for these few passes would not pay
            for batch in batches:
                if batch.size == 1:
                    lone = lone or [batch]
                    continue
                call(model, batch.inputs)
                count += 1
            for batch in () if count else lone:
                call(model, batch.inputs)
    finally:
        for m, momentum in momenta:
            m.momentum = momentum
        for m, mode in modes:
            m.training = mode
