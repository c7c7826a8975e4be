"""The layers of a net from its input to its head, for techniques that treat them by their depth."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence

from torch import nn

from temperance.core.policy import is_norm
from temperance.records.errors import RecipeError

Layers = tuple[tuple[str, ...], ...]
_LISTS = (nn.ModuleList, nn.Sequential)
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


def layers(model: nn.Module, order: Sequence[str] | None, owner: str) -> Layers:
    """Return the names of the parameters layer by layer, the deepest first and the head last.

    Without ``order`` they are, in this order: embeddings and all that the model registers before its blocks, each
    block, and what it registers after them. Blocks are the children of a list of alike modules (``encoder.layer``,
    ``h``, ``layers``, ``blocks``; several lists under one parent follow each other, as in a ResNet); else those of the
    one ``nn.Sequential``, and of those inside it. A normalization layer there belongs to the layer before it.

    Args:
        model: the user's module.
        order: shell patterns of parameter names, one per layer, the deepest first; the first that fits counts.
        owner: class of the technique, for its errors.

    Raises:
        RecipeError: the order cannot be seen, or the patterns do not fit.

    """
    names = [name for name, _ in model.named_parameters()]
    found = _by_patterns(names, order, owner) if order is not None else _seen(model, names, owner)
    return tuple(tuple(layer) for layer in found if layer)


def _by_patterns(names: list[str], order: Sequence[str], owner: str) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in order]
    for name in names:
        place = next((i for i, pattern in enumerate(order) if fnmatch.fnmatchcase(name, pattern)), None)
        if place is None:
            raise RecipeError(
                f"{owner}(order={tuple(order)!r}) has no place for the parameter {name!r}",
                "each parameter belongs to a layer",
                "Add a pattern that fits it; '*' as the last one takes the rest for the head",
            )
        found[place].append(name)
    idle = [pattern for pattern, layer in zip(order, found, strict=True) if not layer]
    if idle:
        raise RecipeError(
            f"{owner}(order={tuple(order)!r}): {idle[0]!r} fits no parameter that an earlier pattern leaves",
            f"names are like {', '.join(names[:6])}",
            "Give patterns such as 'encoder.layer.0.*', the deepest layer first",
        )
    return found


def _seen(model: nn.Module, names: list[str], owner: str) -> list[list[str]]:
    parents = _block_lists(model)
    blocks = [block for name, m in parents for block in _blocks(name, m)]
    siblings = {name.rpartition(".")[0] for name, _ in parents}
    if len(siblings) > 1 or not blocks:
        found_here = [name for name, _ in parents] or [name for name, _ in _parametric(model)]
        said = f"{'the lists' if parents else 'the parts'} {', '.join(found_here)}"
        raise RecipeError(
            f"{owner} cannot see in which order the layers of {type(model).__name__} follow each other: it has {said}",
            "seen is one list of alike blocks, each made of several layers, or one nn.Sequential of layers",
            f"Say it, the deepest first: {owner}(order=('embedding*', 'encoder.0.*', 'encoder.1.*', '*'))",
        )
    embeddings = {
        f"{name}.{short}" if name else short
        for name, m in model.named_modules()
        if isinstance(m, _EMBEDDINGS)
        for short, _ in m.named_parameters(recurse=False)
    }
    found: list[list[str]] = [[] for _ in range(len(blocks) + 2)]
    place = 0
    for name in names:
        here = next((i for i, block in enumerate(blocks, 1) if name.startswith(f"{block}.")), None)
        if here is not None:
            place = here
            found[here].append(name)
        elif name in embeddings:
            found[0].append(name)
        else:
            last = place == len(blocks)
            found[len(blocks) + 1 if last else place].append(name)
    return _with_norms(model, found, blocks)


def _with_norms(model: nn.Module, found: list[list[str]], blocks: list[str]) -> list[list[str]]:
    """Join blocks that are a normalization layer to the layer before them."""
    for i, block in enumerate(blocks, 1):
        if is_norm(model.get_submodule(block)):
            before = next((j for j in range(i - 1, -1, -1) if found[j]), i)
            if before != i:
                found[before], found[i] = found[before] + found[i], []
    return found


def _block_lists(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the outermost lists of alike blocks, or the one chain of the model, by name."""
    alike = _outermost(model, _is_alike)
    if alike:
        return alike
    chains = _outermost(model, lambda m: isinstance(m, nn.Sequential) and len(_parametric(m)) > 1)
    return chains if len(chains) == 1 else []


def _blocks(name: str, module: nn.Module) -> list[str]:
    """Return the names of a list's children; those of a chain inside a chain stand in its place."""
    found: list[str] = []
    for short, child in _parametric(module):
        here = f"{name}.{short}" if name else short
        inside = isinstance(child, nn.Sequential) and not _is_alike(module)
        found += _blocks(here, child) if inside else [here]
    return found


def _is_alike(module: nn.Module) -> bool:
    if not isinstance(module, _LISTS):
        return False
    inside = [child for _, child in _parametric(module)]
    composite = all(next(child.children(), None) is not None for child in inside)
    return bool(inside) and composite and len({type(child) for child in inside}) == 1 and not _is_one(inside)


def _is_one(inside: list[nn.Module]) -> bool:
    """Return whether it is a single block of its own kind, as in a stage of a net that has one block a stage."""
    return len(inside) == 1 and isinstance(inside[0], _LISTS)


def _outermost(model: nn.Module, fits: Callable[[nn.Module], bool]) -> list[tuple[str, nn.Module]]:
    found: list[tuple[str, nn.Module]] = []
    for name, module in model.named_modules():
        inside = any(name.startswith(f"{kept}.") or not kept for kept, _ in found)
        if not inside and fits(module):
            found.append((name, module))
    return found


def _parametric(module: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(name, m) for name, m in module.named_children() if next(m.parameters(), None) is not None]
