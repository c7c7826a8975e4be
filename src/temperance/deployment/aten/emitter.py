"""Walk a tape and draw each operation by its rule."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import fx

from temperance.deployment.aten.tape import SIZES, BatchSize, Tape, Unsupported, Value, operation, plain
from temperance.deployment.sketch import Sketch

Rule = Callable[..., "str | list[str]"]
RULES: dict[str, Rule] = {}
VIEWS = {
    "view", "reshape", "t", "transpose", "permute", "unsqueeze", "squeeze", "expand", "slice", "select", "split",
    "split_with_sizes", "chunk", "unbind", "alias", "detach", "flatten", "unflatten", "getitem", "narrow", "diagonal",
    "as_strided", "contiguous",
}  # fmt: skip
R = TypeVar("R", bound=Rule)


def rule(*names: str) -> Callable[[R], R]:
    """Register a rule for ATen operations: ``(emitter, *args, **kwargs) → name or names``."""

    def keep(function: R) -> R:
        RULES.update(dict.fromkeys(names, function))
        return function

    return keep


class Emitter:
    """Draws a tape into a sketch.

    Attributes:
        sketch: the graph that grows.
        out: shape and type of the value being drawn (a tuple of them for operations with several results).

    """

    def __init__(self, sketch: Sketch, batch: str) -> None:
        self.sketch = sketch
        self.out: Any = None
        self._batch = batch

    def draw(self, tape: Tape, inputs: Sequence[str]) -> Value:
        """Draw every node and return the module's output.

        Raises:
            Unsupported: an operation has no rule, or the output is not one tensor.

        """
        values: dict[fx.Node, Any] = {}
        names = [*tape.weights, *(None for _ in inputs)]
        placeholders = iter(zip(names, [*("" for _ in tape.weights), *inputs], strict=True))
        for first, second in tape.nodes:
            if first.op == "placeholder":
                weight, given = next(placeholders)
                values[first] = (weight, first) if weight else Value(given, *_meta(first, second))
            elif first.op == "get_attr":
                values[first] = self._attribute(tape, first, second)
            elif first.op == "output":
                return _single(self._merge(first.args, second.args, values, tape))
            else:
                values[first] = self._call(first, second, values, tape)
        raise Unsupported("the module returns nothing")

    def _call(self, first: fx.Node, second: fx.Node, values: dict[fx.Node, Any], tape: Tape) -> Any:
        args = self._merge(first.args, second.args, values, tape)
        if first.target is operator.getitem:
            return args[0][args[1]]
        name = plain(operation(first), RULES)
        if name is None:
            raise Unsupported(f"operation {operation(first).removeprefix('prims::')}")
        self.out = _metas(first, second)
        kwargs = {key: self._merge(first.kwargs[key], second.kwargs[key], values, tape) for key in first.kwargs}
        try:
            drawn = RULES[name](self, *args, **kwargs)
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            raise Unsupported(f"operation {name} in a form that its rule does not know") from error
        if isinstance(drawn, str):
            shape, dtype = self.out[0] if isinstance(self.out, list) else self.out
            one = Value(drawn, shape, dtype)
            if name != operation(first):
                values[_overwritten(first)] = one
            return [one] if isinstance(self.out, list) else one
        return [Value(one, *meta) for one, meta in zip(drawn, self.out, strict=False)]

    def _merge(self, a: Any, b: Any, values: dict[fx.Node, Any], tape: Tape) -> Any:
        if isinstance(a, fx.Node):
            value = values[a]
            if isinstance(value, tuple):  # a weight, drawn at its first use
                tensor = tape.weights[value[0]]
                value = Value(self.sketch.weight(value[0], tensor.numpy()), tuple(tensor.shape), tensor.dtype)
                values[a] = value
            return value
        if isinstance(a, list | tuple):
            return [self._merge(x, y, values, tape) for x, y in zip(a, b, strict=True)]
        return _size(a, b) if isinstance(a, int) and not isinstance(a, bool) else _same(a, b)

    def _attribute(self, tape: Tape, first: fx.Node, second: fx.Node) -> Value:
        a, b = (named[str(node.target)] for named, node in zip(tape.constants, (first, second), strict=True))
        if a.shape != b.shape or not torch.equal(a, b):
            raise Unsupported("a constant that follows the batch size")
        return Value(self.sketch.constant(a.detach().numpy()), tuple(a.shape), a.dtype)

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""
        return self.sketch.add(op, *inputs, **attributes)

    def number(self, value: Any, dtype: torch.dtype) -> str:
        """Return a constant of a torch dtype."""
        return self.sketch.constant(value, numpy_dtype(dtype))

    def integers(self, value: Sequence[int]) -> str:
        """Return a constant int64 vector."""
        return self.sketch.constant(list(value), np.int64)

    def operand(self, value: Any, dtype: torch.dtype) -> str:
        """Return a tensor or number as a value of ``dtype``."""
        if isinstance(value, Value):
            return value.name if value.dtype == dtype else self.sketch.cast(value.name, numpy_dtype(dtype))
        if isinstance(value, BatchSize):
            return self.sketch.cast(self.add("Squeeze", self.size(value)), numpy_dtype(dtype))
        return self.number(value, dtype)

    def size(self, value: int | BatchSize) -> str:
        """Return a size as an int64 vector of one entry."""
        if not isinstance(value, BatchSize):
            return self.integers([value])
        rows = self.sketch.once("batch size", lambda: self.add("Shape", self._batch, start=0, end=1))
        return rows if value.times == 1 else self.add("Mul", rows, self.integers([value.times]))

    def shape(self, sizes: Sequence[int | BatchSize]) -> str:
        """Return sizes as an int64 vector."""
        if not any(isinstance(size, BatchSize) for size in sizes):
            return self.integers([int(size) for size in sizes if not isinstance(size, BatchSize)])
        return self.add("Concat", *(self.size(size) for size in sizes), axis=0)

    def reshape(self, name: str, sizes: Sequence[int | BatchSize]) -> str:
        """Reshape; the one size that follows the batch is left to the runtime."""
        moving = [size for size in sizes if isinstance(size, BatchSize)]
        if len(moving) == 1 and -1 not in sizes:
            return self.add("Reshape", name, self.integers([-1 if isinstance(s, BatchSize) else s for s in sizes]))
        return self.add("Reshape", name, self.shape(sizes))


def numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    """Return the NumPy dtype of a torch dtype.

    Raises:
        Unsupported: NumPy has none, as for bfloat16.

    """
    try:
        return np.dtype(torch.empty(0, dtype=dtype).numpy().dtype)
    except TypeError as error:
        raise Unsupported(f"numbers of type {dtype}") from error


def _overwritten(node: fx.Node) -> fx.Node:
    """Return the node whose value an in-place operation replaces; refuse where views would see the change."""
    source = node.args[0]
    if not isinstance(source, fx.Node) or source.op != "call_function" or operation(source) in VIEWS:
        raise Unsupported(f"{operation(node)} on a view or an input")
    if any(user.op == "call_function" and operation(user) in VIEWS for user in source.users):
        raise Unsupported(f"{operation(node)} on a tensor that has views")
    return source


def _size(a: int, b: Any) -> int | BatchSize:
    if a == b:
        return a
    if isinstance(b, int) and a * SIZES[1] == b * SIZES[0] and a % SIZES[0] == 0:
        return BatchSize(a // SIZES[0])
    raise Unsupported(f"a number that is {a} for {SIZES[0]} rows and {b} for {SIZES[1]}")


def _same(a: Any, b: Any) -> Any:
    if a != b and not (isinstance(a, float) and np.isnan(a) and np.isnan(b)):
        raise Unsupported(f"a setting that is {a} for {SIZES[0]} rows and {b} for {SIZES[1]}")
    return a


def _meta(first: fx.Node, second: fx.Node) -> tuple[tuple[Any, ...], torch.dtype]:
    return _pair(first.meta.get("val"), second.meta.get("val"))


def _metas(first: fx.Node, second: fx.Node) -> Any:
    a, b = first.meta.get("val"), second.meta.get("val")
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return [_pair(x, y) for x, y in zip(a, b, strict=True)]
    return _pair(a, b)


def _pair(a: Any, b: Any) -> tuple[tuple[Any, ...], torch.dtype]:
    if a is None or b is None:
        return (), torch.float32
    if not isinstance(a, torch.Tensor):
        raise Unsupported("a result that is not a tensor")
    return tuple(_size(x, y) for x, y in zip(a.shape, b.shape, strict=True)), a.dtype


def _single(result: Any) -> Value:
    while isinstance(result, list) and len(result) == 1:
        result = result[0]
    if not isinstance(result, Value):
        raise Unsupported("a module that returns more than one tensor")
    return result
