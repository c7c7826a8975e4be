"""Places in a model where layer techniques act: existing dropout layers, hidden activations, or names by pattern."""

from __future__ import annotations

import copy
import fnmatch
import re
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from torch import Tensor, nn

from temperance.core.kit.dropouts import Of, take_idle, take_over
from temperance.core.regularizer import Strengths
from temperance.core.traces import hook_after, hook_before, together
from temperance.records.errors import RecipeError, nearest

Change = Callable[[nn.Module, Tensor], Tensor]

ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Tanh, nn.Sigmoid, nn.Softplus, nn.Softsign, nn.Hardswish, nn.Hardtanh, nn.Hardsigmoid, nn.GLU,
)  # fmt: skip
_ACTIVATION = re.compile(r"(Activation|GELU\w*|[RSC]eLU\w*|ReLU\w*|SiLU|Swish|Mish)$")


def named(model: nn.Module, pattern: str, owner: str) -> list[tuple[str, nn.Module]]:
    """Return the submodules whose name matches a shell pattern, e.g. ``layers.*.act``.

    Raises:
        RecipeError: nothing matches.

    """
    found = [(name, m) for name, m in model.named_modules() if name and fnmatch.fnmatchcase(name, pattern)]
    if not found:
        names = [name for name, _ in model.named_modules() if name]
        raise RecipeError(
            f"{owner}(at={pattern!r}) matches none of the model's {len(names)} submodules",
            f"names are like {', '.join(names[:6])}",
            nearest(pattern, names) or "Give a pattern such as 'layers.*'",
        )
    return found


def of_type(model: nn.Module, kinds: tuple[type[nn.Module], ...]) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Yield (parent, name in the parent, module) of the given types."""
    for parent in model.modules():
        for name, child in parent.named_children():
            if isinstance(child, kinds):
                yield parent, name, child


def change_output(module: nn.Module, change: Change) -> Callable[[], None]:
    """Pass the module's output through ``change(module, output)`` in training; return what undoes it."""

    def hook(owner: nn.Module, inputs: Any, output: Any) -> Any:
        return _change_first(owner, output, change) if owner.training else None

    return hook_after(module, hook)


def _change_first(owner: nn.Module, output: Any, change: Change) -> Any:
    """Change a tensor, or the first of a tuple or a mapping, e.g. what an LSTM or an attention layer gives."""
    if isinstance(output, Tensor):
        return change(owner, output)
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
        parts = change(owner, output[0]), *output[1:]
        return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
    if isinstance(output, MutableMapping):
        first = next((key for key, value in output.items() if isinstance(value, Tensor)), None)
        if first is not None:
            made = copy.copy(output)
            made[first] = change(owner, output[first])
            return made
    raise RecipeError(
        f"a technique acts on what {type(owner).__name__} gives, and that is {type(output).__name__}",
        "it needs a tensor, or a tuple or mapping that begins with one",
        "Name other modules with at=…",
    )


def change_input(module: nn.Module, change: Change) -> Callable[[], None]:
    """Pass the module's first input through ``change(module, input)`` in training; return what undoes it."""

    def hook(owner: nn.Module, inputs: Any) -> Any:
        return (change(owner, inputs[0]), *inputs[1:]) if owner.training and inputs else None

    return hook_before(module, hook)


def activations(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the activation modules by name: those of torch, and those of other packages that are named like them."""
    return [(name, m) for name, m in model.named_modules() if isinstance(m, ACTIVATIONS) or _is_like_activation(m)]


def _is_like_activation(module: nn.Module) -> bool:
    return bool(_ACTIVATION.search(type(module).__name__)) and next(module.children(), None) is None


def units(
    model: nn.Module, at: str | None, owner: str, strengths: Strengths, name: str, of: Of, *, drops: bool = False
) -> tuple[list[nn.Module], Callable[[], None]]:
    """Return the modules whose outputs are a layer's units, and what undoes the search.

    They are those that match ``at``; else stand-ins for the model's dropout layers, whose other rates (in fused
    attention, recurrent layers, functional calls) follow the strength; else its activations.

    Args:
        model: rewired in place.
        at: shell pattern, or None.
        owner: class of the technique, for its errors.
        strengths: of the technique.
        name: the strength that moves the rate.
        of: rate that belongs to a value of the strength.
        drops: whether stand-ins drop units by themselves; else a hook on each place does.

    Raises:
        RecipeError: no such place.

    """
    if at is not None:
        return [m for _, m in named(model, at, owner)], together([])
    taken, undos = take_over(model, strengths, name, of, drops=drops)
    if undos:
        return list(taken), together(undos)
    hidden = [m for _, m in activations(model)]
    if hidden:
        return hidden, together([])
    undos = take_idle(model, strengths, name, of)
    if undos:
        return [], together(undos)
    raise RecipeError(
        f"{owner} finds no dropout layer and no activation module in {type(model).__name__}",
        "it needs a place to act",
        f"Name one: {owner}(at='layers.*'), or add nn.Dropout layers (functional F.relu cannot be seen)",
    )
