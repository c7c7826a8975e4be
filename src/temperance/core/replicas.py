"""Data-parallel replicas: which one this is, and numbers on which all agree."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import distributed


def rank() -> int:
    """Return the number of this process among the replicas; 0 where there is one."""
    return distributed.get_rank() if _running() else 0


def agree(numbers: Mapping[str, float], device: torch.device) -> dict[str, float]:
    """Return the mean of each number over the replicas that know it (NaN where none does).

    Controllers then move the strengths alike everywhere; otherwise the replicas would drift apart.
    """
    if not _running() or not numbers:
        return dict(numbers)
    names = sorted(numbers)
    values = torch.tensor([numbers[name] for name in names], dtype=torch.float64, device=device)
    known = torch.isfinite(values)
    both = torch.stack([torch.where(known, values, 0.0), known.to(torch.float64)])
    distributed.all_reduce(both)
    means = (both[0] / both[1]).tolist()
    return dict(zip(names, means, strict=True))


def _running() -> bool:
    return distributed.is_available() and distributed.is_initialized()
