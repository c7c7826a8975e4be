"""A torch module as ONNX nodes: it is run at two batch sizes, and each ATen operation is drawn by a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from temperance.deployment.aten import layers, pointwise, shapes
from temperance.deployment.aten.emitter import RULES, Emitter
from temperance.deployment.aten.tape import Unsupported, Value, record
from temperance.deployment.sketch import Sketch

__all__ = ["RULES", "Unsupported", "draw_module", "layers", "pointwise", "shapes"]


def draw_module(
    sketch: Sketch,
    module: nn.Module,
    feed: Callable[[int], tuple[tuple[Any, ...], dict[str, Any]]],
    inputs: Sequence[str],
) -> Value:
    """Draw a module's forward pass.

    Args:
        sketch: the graph.
        module: in evaluation mode.
        feed: batch size → positional and keyword example inputs.
        inputs: names of the values to feed, in the order of the example inputs.

    Returns:
        The output's name, shape and type.

    Raises:
        Unsupported: an operation has no rule; nothing that was drawn so far is used.

    """
    tape = record(module, feed, set(RULES))
    return Emitter(sketch, inputs[0]).draw(tape, inputs)
