"""Second passes of a step leave the running statistics of normalization layers as the first pass left them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn


def tracking(model: nn.Module) -> tuple[nn.Module, ...]:
    """Return the layers of ``model`` that keep running statistics."""
    return tuple(m for m in model.modules() if getattr(m, "running_mean", None) is not None)


@contextmanager
def unchanged(layers: Sequence[nn.Module]) -> Iterator[None]:
    """Let the layers normalize as they do in training, without moving their running statistics.

    Works in both executors, because no tensor is touched: the layers are told not to track. Those in evaluation mode
    are left alone: they track nothing, and an InstanceNorm that is told so would stop using its statistics.
    """
    before = [(m, m.track_running_stats, m.momentum) for m in layers if m.training]
    for m, _, _ in before:
        m.track_running_stats, m.momentum = False, 0.0  # type: ignore[assignment]
    try:
        yield
    finally:
        for m, track, momentum in before:
            m.track_running_stats, m.momentum = track, momentum
