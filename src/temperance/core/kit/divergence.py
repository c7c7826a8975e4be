"""The divergence of two answers, place by place; of a large vocabulary no more is kept than needed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from temperance.core.kit.classes import log_softmax
from temperance.core.random import is_batched

LARGE = 1 << 25  # numbers in the logits from which on the work is cut into pieces
PIECE = 1 << 22  # numbers in a piece


def divergence(first: Tensor, second: Tensor) -> Tensor:
    """Return KL(p ‖ q) = Σ p·(log p − log q) of two answers, p = softmax(first), q = softmax(second).

    Large answers are worked off in pieces that are computed again in the backward pass, so that only one piece of
    probabilities is there at a time.

    Shapes: logits (b, …, c) twice, classes last → (b, …), at least float32.
    """
    if first.numel() <= LARGE or is_batched() or torch.compiler.is_compiling():
        return _divergence(first, second)
    classes = first.shape[-1]
    rows = max(1, PIECE // classes)
    pieces = zip(*(torch.split(z.reshape(-1, classes), rows) for z in (first, second)), strict=True)
    found = [
        checkpoint(_divergence, one, two, use_reentrant=False, preserve_rng_state=False)
        if torch.is_grad_enabled()
        else _divergence(one, two)
        for one, two in pieces
    ]
    return torch.cat(found).reshape(first.shape[:-1])


def _divergence(first: Tensor, second: Tensor) -> Tensor:
    one, two = log_softmax(_wide(first)), log_softmax(_wide(second))
    return functional.kl_div(two, one, reduction="none", log_target=True).sum(-1)


def _wide(logits: Tensor) -> Tensor:
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
