"""Measure what a model costs to use: latency, parameters, operations, bytes."""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import flop_registry

from temperance.core.batch import call
from temperance.core.watched import Watched
from temperance.records.cost import TrialCost
from temperance.records.schema import Rows


class _Counter(Watched):
    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        count = flop_registry.get(func._overloadpacket)
        if count is None and (found := self.smaller(func, args, kwargs)) is not NotImplemented:
            return found
        out = func(*args, **kwargs)
        if count is not None:
            self.total += int(count(*args, **kwargs, out_val=out))
        return out


def latency_ms(predictor: Any, rows: Rows, count: int, *, seconds: float = 0.15) -> float:
    """Return the median time of ``predict`` on ``count`` rows in ms, over at most ``seconds`` (at least 3 calls)."""
    index = np.resize(np.arange(rows.size), count)
    batch = rows.take(index)
    predictor.predict(batch)
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < until and len(times) < 200):
        started = time.perf_counter()
        predictor.predict(batch)
        times.append(time.perf_counter() - started)
    return 1000 * median(times)


def flops_per_row(model: nn.Module, inputs: Any) -> int:
    """Return multiply-adds × 2 of one row's forward pass, by torch's formulas for each operation."""
    model.eval()
    with torch.no_grad(), _Counter() as counter:
        call(model, inputs)
    return int(counter.total)


def peak_memory_bytes() -> int:
    """Return the largest resident memory of this process so far."""
    if sys.platform == "win32":  # it has no module resource
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    used = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return used if sys.platform == "darwin" else used * 1024  # macOS counts bytes, Linux KiB


def net_cost(model: nn.Module, inputs: Any, *, seconds: float, passes: int, measure: bool = True) -> TrialCost:
    """Return what a trained net cost and holds; ``inputs`` are one row's. Latency is measured where it is served."""
    return TrialCost(
        seconds=seconds,
        passes=passes,
        peak_memory_bytes=peak_memory_bytes(),
        parameters=sum(p.numel() for p in model.parameters()),
        flops=flops_per_row(model, inputs) if measure else None,
        bytes=sum(t.numel() * t.element_size() for t in [*model.parameters(), *model.buffers()]),
    )
