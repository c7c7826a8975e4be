"""Which parameters weight techniques leave alone: biases, norms, embeddings and whatever is not a matrix."""

from __future__ import annotations

import torch
from torch import nn

_NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LocalResponseNorm,
    *((nn.RMSNorm,) if hasattr(nn, "RMSNorm") else ()),
)
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


def is_norm(module: nn.Module) -> bool:
    """Return whether a module is a normalization layer."""
    return isinstance(module, _NORMS)


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that are trained, each once (tied weights under their first name)."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def reason_kept(model: nn.Module) -> dict[str, str]:
    """Return for each parameter why weight techniques leave it alone, or an empty string where they act.

    A module with ``no_decay = True`` is left alone whole. Other rules: normalization layers, embeddings, biases,
    and parameters with fewer than two axes.
    """
    owners: dict[int, tuple[str, nn.Module]] = {}
    for prefix, module in model.named_modules():
        for short, p in module.named_parameters(recurse=False, prefix=prefix):
            owners.setdefault(id(p), (short, module))
    opted_out = {id(p) for m in model.modules() if getattr(m, "no_decay", False) for p in m.parameters()}
    reasons: dict[str, str] = {}
    for name, p in trainable(model).items():
        _, module = owners[id(p)]
        reasons[name] = _reason(name, p, module, id(p) in opted_out)
    return reasons


def _reason(name: str, p: torch.Tensor, module: nn.Module, opted_out: bool) -> str:
    if opted_out:
        return "its module opted out"
    if isinstance(module, _NORMS):
        return "normalization"
    if isinstance(module, _EMBEDDINGS):
        return "embedding"
    if name.rsplit(".", 1)[-1].startswith("bias") or name.endswith("_bias"):
        return "bias"
    return "fewer than two axes" if p.dim() < 2 else ""


def matrices(model: nn.Module) -> tuple[str, ...]:
    """Return the names of the parameters that weight techniques act on."""
    return tuple(name for name, reason in reason_kept(model).items() if not reason)
