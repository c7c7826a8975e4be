"""Adapters of PEFT, recognised by what their layers can do; the package itself is never loaded."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from temperance.core.policy import trainable

_FIRST = ("lora_A", "lora_embedding_A")  # factors that say nothing where the second ones are 0
_ZERO = ("lora_B", "lora_embedding_B")  # factors that begin at 0, so that the adapter says nothing yet


def off_is_now(model: nn.Module) -> bool:
    """Return whether the model with its adapters switched off is the model as it stands.

    So it is where all trained weights are those of low-rank adapters whose second factor is 0, or copies of layers
    (``modules_to_save``) that still equal the originals. Not so for an adapter that was trained before, one that
    began from the weights themselves (PiSSA), or trained biases of the base.
    """
    if not hasattr(model, "disable_adapter"):
        return False
    inside: set[int] = set()
    for layer in model.modules():
        if _adapts(layer):
            if not _is_silent(layer):
                return False
            inside |= {id(p) for p in layer.parameters()}
    trained = trainable(model).values()
    return bool(inside) and all(id(p) in inside for p in trained)


def speaking(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of parameters without the first factors of low-rank adapters."""
    return tuple(name for name in names if not set(_FIRST) & set(name.split(".")))


def _adapts(layer: nn.Module) -> bool:
    """Return whether it is a layer of an adapter, or a layer with a trained copy; whole models have such verbs too."""
    return hasattr(layer, "adapter_layer_names") or isinstance(getattr(layer, "modules_to_save", None), nn.Module)


def _is_silent(layer: nn.Module) -> bool:
    own = (*getattr(layer, "adapter_layer_names", ()), "modules_to_save")
    trained = [name for name, p in layer.named_parameters() if p.requires_grad]
    if any(name.split(".")[0] not in own for name in trained):
        return False  # a bias of the base, or an adapter inside another
    saved, original = getattr(layer, "modules_to_save", None), getattr(layer, "original_module", None)
    if isinstance(saved, nn.Module) and isinstance(original, nn.Module):
        return all(_same(copy, original) for copy in saved.children())
    factors = [getattr(layer, name) for name in _ZERO if len(getattr(layer, name, ()))]
    return bool(factors or not trained) and not any(bool(p.any()) for f in factors for p in f.parameters())


def _same(one: nn.Module, other: nn.Module) -> bool:
    two = dict(other.named_parameters())
    return all(name in two and bool((p == two[name]).all()) for name, p in one.named_parameters())
