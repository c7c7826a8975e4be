"""Places in a model where layer techniques act: existing dropout layers, hidden activations, or names by pattern."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch import Tensor, nn

from temperance.records.errors import RecipeError, nearest

Change = Callable[[nn.Module, Tensor], Tensor]

ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Tanh, nn.Sigmoid, nn.Softplus, nn.Softsign, nn.Hardswish, nn.Hardtanh, nn.Hardsigmoid, nn.GLU,
)  # fmt: skip
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


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
        return change(owner, output) if owner.training else None

    return module.register_forward_hook(hook).remove


def change_input(module: nn.Module, change: Change) -> Callable[[], None]:
    """Pass the module's first input through ``change(module, input)`` in training; return what undoes it."""

    def hook(owner: nn.Module, inputs: Any) -> Any:
        return (change(owner, inputs[0]), *inputs[1:]) if owner.training and inputs else None

    return module.register_forward_pre_hook(hook).remove


def units(model: nn.Module, at: str | None, owner: str) -> tuple[list[nn.Module], Callable[[], None]]:
    """Return the modules whose outputs are a layer's units, and what undoes the search.

    They are those that match ``at``; else stand-ins for the model's dropout layers; else its activations.

    Raises:
        RecipeError: no such place.

    """
    if at is not None:
        return [m for _, m in named(model, at, owner)], together([])
    layers = list(of_type(model, DROPOUTS))
    if layers:
        return _stand_ins(layers)
    hidden: list[nn.Module] = [m for m in model.modules() if isinstance(m, ACTIVATIONS)]
    if not hidden:
        raise RecipeError(
            f"{owner} finds no dropout layer and no activation module in {type(model).__name__}",
            "it needs a place to act",
            f"Name one: {owner}(at='layers.*'), or add nn.Dropout layers (functional F.relu cannot be seen)",
        )
    return hidden, together([])


def _stand_ins(layers: list[tuple[nn.Module, str, nn.Module]]) -> tuple[list[nn.Module], Callable[[], None]]:
    places: list[nn.Module] = []
    undos: list[Callable[[], None]] = []
    for parent, name, child in layers:
        place = nn.Identity().train(child.training)
        setattr(parent, name, place)
        places.append(place)
        undos.append(partial(setattr, parent, name, child))
    return places, together(undos)


def hold(module: nn.Module, name: str, tensor: Tensor) -> Callable[[], None]:
    """Register ``tensor`` as a non-persistent buffer of ``module``; return what undoes it.

    Shapes: any; a strength is () or (k,).
    """
    module.register_buffer(name, tensor, persistent=False)

    def undo() -> None:
        del module._buffers[name]
        module._non_persistent_buffers_set.discard(name)

    return undo


def together(undos: list[Callable[[], None]]) -> Callable[[], None]:
    """Return one function that undoes all, last first."""

    def undo() -> None:
        for one in reversed(undos):
            one()

    return undo
