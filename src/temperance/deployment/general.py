"""Torch's own exporter, for modules that hold operations without a rule. Slower, and covers more."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch import nn

from temperance.deployment.aten.tape import BatchSize, Value
from temperance.deployment.sketch import OPSET, WEIGHT, Sketch, onnx_package
from temperance.records.errors import BundleError

EXAMPLE_ROWS = 5
LOGGERS = ("torch.onnx", "torch.onnx._internal.exporter._registration", "onnxscript", "onnx_ir")


def draw_general(
    sketch: Sketch,
    module: nn.Module,
    feed: Callable[[int], tuple[tuple[Any, ...], dict[str, Any]]],
    inputs: Sequence[str],
) -> Value:
    """Export a module by ``torch.onnx.export`` and join the result to the sketch.

    Raises:
        BundleError: the exporter fails; its reason is named.

    """
    model = _export(module, *feed(EXAMPLE_ROWS))
    graph = model.graph
    _check_rows(graph)
    if len(graph.output) != 1 or len(graph.input) != len(inputs):
        raise BundleError(
            f"the module takes {len(graph.input)} inputs and gives {len(graph.output)} outputs",
            f"the bundle gives {len(inputs)} inputs and takes one output",
        )
    known = {name for name, _ in [*module.named_parameters(), *module.named_buffers()]}
    names = {entry.name: given for entry, given in zip(graph.input, inputs, strict=True)}
    _rename(sketch, graph, names, known)
    sketch.adopt(list(graph.node), list(graph.initializer))
    output = graph.output[0]
    return Value(names[output.name], _shape(output), torch.float32)


def _check_rows(graph: Any) -> None:
    """Refuse a graph that holds for the rows of the example alone: the exporter took their count for a constant."""
    for one in [*graph.input, *graph.output]:
        dims = one.type.tensor_type.shape.dim
        if not dims or dims[0].HasField("dim_value"):
            raise BundleError(
                "the exported net takes or gives one fixed count of rows",
                "the first axis of inputs and outputs is the rows, as many as come",
                "Look for torch.arange(len(x)), a row count as a number, or a sum over rows; torch.gather picks by row",
            )


def _export(module: nn.Module, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    batch = torch.export.Dim("batch", min=1)
    shapes = [{0: batch} for _ in [*args, *keywords]]
    dynamic: Any = dict(zip(keywords, shapes, strict=True)) if keywords else tuple(shapes)
    try:
        with _quiet():
            program = torch.onnx.export(
                module, args, kwargs=keywords or None, dynamo=True, dynamic_shapes=dynamic, opset_version=OPSET,
                optimize=False, verbose=False,
            )  # fmt: skip
    except Exception as error:  # the exporter raises many kinds; each becomes one clear refusal
        raise BundleError(
            f"torch's exporter refused the module: {str(error).splitlines()[0][:300]}",
            "the module must run without choices that depend on the data",
            "Rewrite the step that it names, or ship another model of the frontier",
        ) from error
    if program is None:
        raise BundleError("torch's exporter gave nothing")
    model = program.model_proto
    return onnx_package().inliner.inline_local_functions(model) if model.functions else model


def _rename(sketch: Sketch, graph: Any, names: dict[str, str], known: set[str]) -> None:
    for tensor in graph.initializer:
        old = tensor.name
        names[old] = WEIGHT + sketch.scoped(old) if old in known else sketch.fresh("constant")
        tensor.name = names[old]
    for node in _nodes(graph):
        for i, name in enumerate(node.output):
            if name:
                names.setdefault(name, sketch.fresh("general"))
                node.output[i] = names[name]
    for node in _nodes(graph):
        for i, name in enumerate(node.input):
            node.input[i] = names.get(name, name)


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                raise BundleError(f"the module holds a branch or a loop ({node.op_type})", "straight-line nets export")


def _shape(output: Any) -> tuple[Any, ...]:
    dims = output.type.tensor_type.shape.dim
    return tuple(BatchSize(1) if i == 0 else int(dim.dim_value) for i, dim in enumerate(dims))


@contextmanager
def _quiet() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
