"""Outputs of a foreign model in torch as scores: logits or log-probabilities (b, c), or values (b,)."""

from __future__ import annotations

import torch
from torch import Tensor

from temperance.deployment.opening.answers import Scale


def as_scores(raw: Tensor, scale: Scale) -> Tensor:
    """Return scores whose softmax is the model's answer, with gradients.

    Shapes: raw (b, c), (b, 1) or (b,) → (b, c), or (b,) for values.
    """
    if scale == "values":
        return raw.reshape(-1)
    if scale == "logits":
        return raw
    tiny = torch.finfo(raw.dtype).tiny
    if scale == "probabilities":
        return raw.clamp_min(tiny).log()
    one = raw.reshape(-1)
    if scale == "logit":
        return torch.stack([torch.zeros_like(one), one], dim=1)
    return torch.stack([(1 - one).clamp_min(tiny).log(), one.clamp_min(tiny).log()], dim=1)
