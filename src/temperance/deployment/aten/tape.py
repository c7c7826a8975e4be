"""Record the ATen operations of one forward pass; the batch size is found by comparing two runs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call, functionalize
from torch.utils._pytree import tree_leaves, tree_map_only

from temperance.core.watched import Watched

_SIZES = {torch.ops.aten.size.default, torch.ops.aten.stride.default, torch.ops.aten.storage_offset.default}
_FRESH = {torch.ops.aten.lift_fresh.default, torch.ops.aten.lift_fresh_copy.default}  # of constants
SIZES = (5, 7)  # batch sizes of the two runs: primes, so a size that follows the batch shows


class Unsupported(Exception):
    """The module does something that the rules do not cover; the message names it."""


@dataclass(frozen=True)
class BatchSize:
    """A size that is ``times`` × the batch size."""

    times: int


@dataclass(frozen=True)
class Value:
    """A tensor of the tape: its name in the graph, its shape (``BatchSize`` where it follows the batch), its type."""

    name: str
    shape: tuple[Any, ...]
    dtype: torch.dtype


@dataclass(frozen=True)
class Tape:
    """Two recordings of one module, node by node the same.

    Attributes:
        nodes: pairs of them.
        constants: of each recording, by the name that its ``get_attr`` nodes say.
        weights: the parameters and buffers by name.

    """

    nodes: tuple[tuple[fx.Node, fx.Node], ...]
    constants: tuple[dict[str, Tensor], dict[str, Tensor]]
    weights: dict[str, Tensor]


def record(module: nn.Module, feed: Callable[[int], tuple[tuple[Any, ...], dict[str, Any]]], known: set[str]) -> Tape:
    """Run the module at two batch sizes and compare.

    Args:
        module: in evaluation mode.
        feed: batch size → positional and keyword inputs.
        known: names of operations that have a rule; others are split into smaller ones where torch knows how.

    Raises:
        Unsupported: the runs differ, so the module decides by the data or the batch size.

    """
    weights = {name: tensor.detach() for name, tensor in module.named_parameters()}
    weights.update({name: tensor.detach() for name, tensor in module.named_buffers()})
    pair = [_run(module, weights, feed(size), {}) for size in SIZES]
    unknown = {node.target for node in pair[0].graph.nodes if node.op == "call_function" and _unknown(node, known)}
    if unknown:
        split = torch._decomp.get_decompositions(list(unknown))
        if split:
            pair = [_run(module, weights, feed(size), split) for size in SIZES]
    first, second = (tuple(one.graph.nodes) for one in pair)
    if len(first) != len(second) or any(
        a.op != b.op or a.target != b.target for a, b in zip(first, second, strict=True)
    ):
        raise Unsupported("the module runs other operations at another batch size")
    return Tape(tuple(zip(first, second, strict=True)), (pair[0].constants, pair[1].constants), weights)


def _unknown(node: fx.Node, known: set[str]) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and plain(operation(node), known) is None


def plain(name: str, known: Container[str]) -> str | None:
    """Return the name of the rule for an operation: its own, or for ``add_`` that of ``add``; None without a rule."""
    if name in known:
        return name
    bare = name.removesuffix("_")
    return bare if bare != name and bare in known else None


def operation(node: fx.Node) -> str:
    """Return the name of the node's ATen operation without overload, or of the Python function."""
    target = node.target
    if isinstance(target, torch._ops.OpOverload):
        return str(target.overloadpacket._qualified_op_name).removeprefix("aten::")
    return getattr(target, "__name__", str(target))


class _Recorder(Watched):
    """Writes each operation into a graph; a tensor is known by its node, or else it is a constant.

    Args:
        split: operations to run as smaller ones instead.

    """

    def __init__(self, split: dict[Any, Any]) -> None:
        super().__init__()
        self.graph, self.constants = fx.Graph(), dict[str, Tensor]()
        self._split = split
        self._known: dict[int, fx.Node] = {}  # by id; the values stay alive in ``meta``

    def given(self, number: int, tensor: Tensor) -> None:
        """Note an input."""
        self._note(self.graph.placeholder(f"given_{number}"), tensor)

    def returned(self, result: Any) -> None:
        """Note what comes out, and drop what nothing needs."""
        self.graph.output(tree_map_only(Tensor, self._node, result))
        self.graph.eliminate_dead_code()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self._split:
            with self:
                found = self._split[func](*args, **kwargs)
        else:
            found = self.smaller(func, args, kwargs) if func not in _SIZES else NotImplemented
        if found is not NotImplemented:
            return found
        nodes = tree_map_only(Tensor, self._node, (args, kwargs))
        if torch.Tag.data_dependent_output in func.tags and not all(
            one.op == "get_attr" for one in tree_leaves(nodes) if isinstance(one, fx.Node)
        ):
            raise RuntimeError(f"{func} reads a value of the data")
        out = func(*args, **kwargs)
        self._note(self._node(args[0]) if func in _FRESH else self.graph.call_function(func, *nodes), out)
        return out

    def _note(self, node: fx.Node, value: Any) -> None:
        node.meta["val"] = value
        if isinstance(value, Tensor):
            self._known[id(value)] = node
        elif isinstance(value, list | tuple):
            for place, one in enumerate(value):
                self._note(self.graph.call_function(operator.getitem, (node, place)), one)

    def _node(self, tensor: Tensor) -> fx.Node:
        if id(tensor) not in self._known:
            name = f"constant_{len(self.constants)}"
            self.constants[name] = tensor
            self._note(self.graph.get_attr(name), tensor)
        return self._known[id(tensor)]


def _run(
    module: nn.Module, weights: dict[str, Tensor], inputs: tuple[tuple[Any, ...], dict[str, Any]], split: dict[Any, Any]
) -> _Recorder:
    args, keywords = inputs
    names = list(weights)
    count = len(args)

    def forward(tensors: Sequence[Tensor], *features: Any) -> Any:
        named = dict(zip(keywords, features[count:], strict=True))
        return functional_call(module, dict(zip(names, tensors, strict=True)), features[:count], named)

    tape, features = _Recorder(split), [*args, *keywords.values()]
    for number, tensor in enumerate([*weights.values(), *features]):
        tape.given(number, tensor)
    try:
        with torch.no_grad(), _plain_attention(), tape:
            result = functionalize(forward)(list(weights.values()), *features)
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        raise Unsupported(f"the module cannot be recorded: {str(error).splitlines()[0]}") from error
    tape.returned(result)
    return tape


class _plain_attention(AbstractContextManager[None]):  # noqa: N801
    """Switch off fused transformer layers, which hide their steps."""

    def __enter__(self) -> None:
        self._before = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)

    def __exit__(self, *_: object) -> None:
        torch.backends.mha.set_fastpath_enabled(self._before)
