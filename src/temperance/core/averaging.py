"""What averages of weights share: their declarations, and BatchNorm statistics for what they serve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from temperance.core.batch import Batch, call
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Memory, Rank, Regularizer
from temperance.core.rules import Rule
from temperance.core.wrappers import uncompiled


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
    return 0.0 if params.owned else torch.zeros((), dtype=torch.float64, device=context.device)


def refresh_statistics(model: nn.Module, layers: Sequence[nn.Module], batches: Iterable[Batch]) -> None:
    """Estimate running means and variances anew as plain averages over ``batches``, in one pass in training mode.

    Only the given layers are in training mode, so that nothing else (dropout) acts. Source: Izmailov et al. (2018),
    arXiv:1803.05407, section 3.2.
    """
    modes = [(m, m.training) for m in model.modules()]
    momenta = [(m, m.momentum) for m in layers]
    model.eval()
    for m in layers:
        m.reset_running_stats()  # type: ignore[operator]
        m.momentum, m.training = None, True  # type: ignore[assignment]
    try:
        with torch.no_grad(), uncompiled():  # compiling for these few passes would not pay
            for batch in batches:
                call(model, batch.inputs)
    finally:
        for m, momentum in momenta:
            m.momentum = momentum
        for m, mode in modes:
            m.training = mode
