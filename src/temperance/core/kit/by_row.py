"""One number per training row, gathered batch by batch; and what a model's outputs predict."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def gather(memory: dict[str, Any], index: Tensor, values: Tensor) -> None:
    """Note (b,) values of the rows ``index``; nothing is computed until ``table`` asks."""
    memory.setdefault("rows", []).append(index.detach().clone())
    memory.setdefault("values", []).append(values.detach().clone())


def table(memory: dict[str, Any], fill: float) -> Tensor:
    """Return the values gathered since the last call by row, (n,), the latest one of each; ``fill`` where none."""
    rows = [part.cpu() for part in memory.pop("rows", [])]
    values = [part.cpu() for part in memory.pop("values", [])]
    size = max((int(part.max()) + 1 for part in rows if part.numel()), default=0)
    whole = torch.full((size,), fill, dtype=values[0].dtype if values else torch.float32)
    for own, part in zip(rows, values, strict=True):
        whole[own] = part
    return whole


def scores(outputs: Any) -> Tensor | None:
    """Return logits (b, c) with c ≥ 2; one column counts as the logit of the second of two classes; else None."""
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point() or outputs.dim() not in (1, 2):
        return None
    flat = outputs.detach().unsqueeze(1) if outputs.dim() == 1 else outputs.detach()
    return torch.cat([torch.zeros_like(flat), flat], 1) if flat.shape[1] == 1 else flat
