"""Run a graph by NumPy: the part of ONNX Runtime's session that a bundle uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.plain.operations import OPS
from temperance.deployment.plain.reader import Node, read_graph
from temperance.records.errors import BundleError


class Entry(NamedTuple):
    """An input or output."""

    name: str
    shape: list[Any]


class PlainSession:
    """Computes a graph node by node; what depends on constants alone is computed once.

    Raises:
        BundleError: the graph holds an operator that has no rule here; it is named.

    """

    def __init__(self, data: bytes) -> None:
        graph = read_graph(data)
        self._inputs, self._outputs = graph.inputs, graph.outputs
        unknown = {node.op for node in graph.nodes} - set(OPS)
        if unknown:
            raise BundleError(
                f"the graph holds {', '.join(sorted(unknown))}, which NumPy alone has no rule for",
                "nets for tables and linear models", "Use ONNX Runtime",
            )  # fmt: skip
        constants: dict[str, Any] = dict(graph.constants)
        self._nodes: list[Node] = []
        for node in graph.nodes:
            if all(name in constants for name in node.inputs if name):
                _compute(node, constants)
            else:
                self._nodes.append(node)
        needed = {name for node in self._nodes for name in node.inputs} | set(graph.outputs)
        self._constants = {name: value for name, value in constants.items() if name in needed}
        self._last = self._last_uses()

    def get_inputs(self) -> list[Entry]:
        """Return names and shapes of the inputs."""
        return [Entry(name, shape) for name, shape in self._inputs.items()]

    def get_outputs(self) -> list[Entry]:
        """Return names and shapes of the outputs."""
        return [Entry(name, shape) for name, shape in self._outputs.items()]

    def run(self, names: Sequence[str], feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return outputs by name for a batch.

        Shapes: inputs (b, …), outputs (b, …).
        """
        values: dict[str, Any] = {**self._constants, **feed}
        with np.errstate(all="ignore"):
            for i, node in enumerate(self._nodes):
                _compute(node, values)
                for name in self._last.get(i, ()):
                    del values[name]
        return [values[name] for name in names]

    def _last_uses(self) -> dict[int, list[str]]:
        """Return the values that nobody needs after a node, so that memory stays small."""
        last: dict[str, int] = {}
        for i, node in enumerate(self._nodes):
            last.update(dict.fromkeys([*filter(None, node.inputs), *node.outputs], i))
        found: dict[int, list[str]] = {}
        for name, i in last.items():
            if name not in self._outputs and name not in self._constants and name not in self._inputs:
                found.setdefault(i, []).append(name)
        return found


def _compute(node: Node, values: dict[str, Any]) -> None:
    given = [values[name] if name else None for name in node.inputs]
    made = OPS[node.op](given, node.attributes)
    if isinstance(made, list):
        values.update(zip(node.outputs, made, strict=True))
    else:
        values[node.outputs[0]] = made
