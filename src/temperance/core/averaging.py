"""BatchNorm statistics for averaged weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from temperance.core.batch import Batch, call


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
        with torch.no_grad():
            for batch in batches:
                call(model, batch.inputs)
    finally:
        for m, momentum in momenta:
            m.momentum = momentum
        for m, mode in modes:
            m.training = mode
