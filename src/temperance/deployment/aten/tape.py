"""Record the ATen operations of one forward pass; the batch size is found by comparing two runs."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call, functionalize
from torch.fx.experimental.proxy_tensor import make_fx

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
    """Two recordings of one module, node by node the same; ``weights`` are the parameters and buffers by name."""

    nodes: tuple[tuple[fx.Node, fx.Node], ...]
    modules: tuple[fx.GraphModule, fx.GraphModule]
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
    pair = tuple(_run(module, weights, feed(size), {}) for size in SIZES)
    unknown = {node.target for node in pair[0].graph.nodes if node.op == "call_function" and _unknown(node, known)}
    if unknown:
        split = torch._decomp.get_decompositions(list(unknown))
        if split:
            pair = tuple(_run(module, weights, feed(size), split) for size in SIZES)
    first, second = (tuple(graph.graph.nodes) for graph in pair)
    if len(first) != len(second) or any(
        a.op != b.op or a.target != b.target for a, b in zip(first, second, strict=True)
    ):
        raise Unsupported("the module runs other operations at another batch size")
    return Tape(tuple(zip(first, second, strict=True)), (pair[0], pair[1]), weights)


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


def _run(
    module: nn.Module, weights: dict[str, Tensor], inputs: tuple[tuple[Any, ...], dict[str, Any]], split: dict[Any, Any]
) -> fx.GraphModule:
    args, keywords = inputs
    names = list(weights)
    count = len(args)

    def forward(tensors: Sequence[Tensor], *features: Any) -> Any:
        named = dict(zip(keywords, features[count:], strict=True))
        return functional_call(module, dict(zip(names, tensors, strict=True)), features[:count], named)

    try:
        with torch.no_grad(), _plain_attention():
            graph = make_fx(functionalize(forward), decomposition_table=split)(
                list(weights.values()), *args, *keywords.values()
            )
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        raise Unsupported(f"the module cannot be recorded: {str(error).splitlines()[0]}") from error
    graph.graph.eliminate_dead_code()
    return graph


class _plain_attention(AbstractContextManager[None]):  # noqa: N801
    """Switch off fused transformer layers, which hide their steps."""

    def __enter__(self) -> None:
        self._before = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)

    def __exit__(self, *_: object) -> None:
        torch.backends.mha.set_fastpath_enabled(self._before)
