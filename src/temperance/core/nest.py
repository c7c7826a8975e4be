"""Nests of tensors: tuples, lists, dicts, named tuples and dataclasses; a ``PackedSequence`` is one leaf."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from temperance.core.shifted import Shifted, handed
from temperance.records.errors import RecipeError, SettingError

T = TypeVar("T")


def call(model: Callable[..., T], inputs: Any) -> T:
    """Call the model as the type of ``inputs`` says: ``model(**dict)``, ``model(*tuple)``, else ``model(x)``.

    Named tuples (``PackedSequence`` too) and dataclasses are one argument. Of ``Shifted`` the inputs inside are meant.
    """
    if isinstance(inputs, Tensor):
        return model(inputs)
    if isinstance(inputs, Shifted):
        with handed(inputs):
            return call(model, inputs.inputs)
    if isinstance(inputs, Mapping):
        return model(**inputs)
    if is_sequence(inputs):
        return model(*inputs)
    return model(inputs)


def is_sequence(value: Any) -> bool:
    """Return whether a value is a plain tuple or list, whose parts have no names."""
    return isinstance(value, (tuple, list)) and not hasattr(value, "_fields")


def fields_of(value: Any) -> dict[Any, Any] | None:
    """Return the parts of a mapping, a named tuple or a dataclass by name; None for anything else."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple) and hasattr(value, "_fields") and not isinstance(value, PackedSequence):
        return dict(zip(value._fields, value, strict=True))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def leaves(nest: Any) -> Iterator[Any]:
    """Yield what a nest holds, depth first: tensors, packed sequences, and whatever is no container.

    Of ``Shifted`` these are the leaves of the inputs inside.
    """
    if isinstance(nest, (Tensor, PackedSequence)):
        yield nest
        return
    if isinstance(nest, Shifted):
        yield from leaves(nest.inputs)
        return
    named = fields_of(nest)
    parts = named.values() if named is not None else nest if isinstance(nest, (tuple, list)) else None
    if parts is None:
        yield nest
        return
    for part in parts:
        yield from leaves(part)


def tensors(nest: Any) -> Iterator[Tensor]:
    """Yield the tensors of a nest; of a ``PackedSequence`` its data.

    Shapes: any.
    """
    for leaf in leaves(nest):
        if isinstance(leaf, Tensor):
            yield leaf
        elif isinstance(leaf, PackedSequence):
            yield leaf.data


def floating_leaves(nest: Any) -> list[Tensor]:
    """Return the tensors with decimals in a nest, in the order in which ``map_leaves`` meets them.

    Of ``Shifted`` inputs that hold none it is the shift.

    Shapes: any.
    """
    found = [leaf for leaf in leaves(nest) if isinstance(leaf, Tensor) and leaf.is_floating_point()]
    return [nest.shift] if isinstance(nest, Shifted) and not found else found


def first_leaf(nest: Any) -> Tensor:
    """Return the first tensor of a nest; of a ``PackedSequence`` its data.

    Shapes: any.

    Raises:
        SettingError: there is none.

    """
    if isinstance(nest, Tensor):
        return nest
    for leaf in tensors(nest):
        return leaf
    raise SettingError(
        f"{type(nest).__name__} holds no tensor", "a nest of tuples, lists and dicts with tensors", "Convert it first"
    )


def rows(nest: Any) -> int:
    """Return the count of examples: the first axis of the first tensor; of a ``PackedSequence`` its sequences."""
    if isinstance(nest, Tensor):
        return int(nest.shape[0])
    for leaf in leaves(nest):
        if isinstance(leaf, PackedSequence):
            return int(leaf.batch_sizes[0])
        if isinstance(leaf, Tensor):
            return int(leaf.shape[0]) if leaf.dim() else 1
    return int(first_leaf(nest).shape[0])


def map_leaves(function: Callable[[Tensor], Tensor], nest: Any) -> Any:
    """Apply ``function`` to each tensor of a nest; anything else stays.

    Raises:
        RecipeError: the nest holds a ``PackedSequence``, whose rows are no examples.

    """
    if isinstance(nest, Tensor):
        return function(nest)
    if isinstance(nest, PackedSequence):
        raise RecipeError(
            "a technique that acts on the rows of the inputs got a PackedSequence, whose rows are steps of sequences",
            "it needs tensors (b, …)",
            "Give padded sequences (pad_packed_sequence), or leave the technique out",
        )
    if isinstance(nest, Mapping):
        return {key: map_leaves(function, value) for key, value in nest.items()}
    if isinstance(nest, Shifted):
        return nest._replace(inputs=map_leaves(function, nest.inputs))
    if isinstance(nest, (tuple, list)):
        parts = [map_leaves(function, value) for value in nest]
        return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)
    if dataclasses.is_dataclass(nest) and not isinstance(nest, type):
        parts_of = fields_of(nest) or {}
        return dataclasses.replace(nest, **{name: map_leaves(function, value) for name, value in parts_of.items()})
    return nest


def with_floating(nest: Any, points: Sequence[Tensor]) -> Any:
    """Return a nest with other tensors in the place of those with decimals.

    Shapes: points (b, …), in the order and shapes of ``floating_leaves``.
    """
    new = iter(points)
    if isinstance(nest, Shifted) and not floating_leaves(nest.inputs):
        return nest._replace(shift=next(new))
    return map_leaves(lambda leaf: next(new) if leaf.is_floating_point() else leaf, nest)


def detached(nest: Any) -> Any:
    """Return the nest without history; whatever is no tensor stays."""
    if isinstance(nest, PackedSequence):
        return nest._replace(data=nest.data.detach())
    if isinstance(nest, (tuple, list)) and any(isinstance(leaf, PackedSequence) for leaf in leaves(nest)):
        parts = [detached(value) for value in nest]
        return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)
    return map_leaves(lambda leaf: leaf.detach(), nest)


def described(value: Any) -> str:
    """Return a short description of a batch, an answer or a part of one, for messages."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if is_sequence(value):
        parts = ", ".join(described(part) for part in value[:4])
        return f"{type(value).__name__} of {len(value)} ({parts}{', …' if len(value) > 4 else ''})"
    named = fields_of(value)
    if named is not None:
        return f"{type(value).__name__} with {', '.join(map(repr, list(named)[:6])) or 'nothing'}"
    return type(value).__name__
