"""Reads an ONNX graph once and runs it node by node in torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from temperance.deployment.sketch import WEIGHT, onnx_package
from temperance.deployment.torch_graph.layers import LAYERS
from temperance.deployment.torch_graph.pointwise import POINTWISE, Operator
from temperance.deployment.torch_graph.shaping import SHAPING
from temperance.records.errors import BundleError

OPERATORS: dict[str, Operator] = {**POINTWISE, **SHAPING, **LAYERS}
_TREES = ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor")
_LINEAR = ("MatMul", "Gemm")


@dataclass(frozen=True, eq=False)
class Node:
    """One step: the operator, names of what it takes and gives, attributes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph that can be run.

    Attributes:
        nodes: in an order in which they can run.
        constants: weights and constants by name; texts as object arrays.
        inputs: names of the inputs.
        outputs: names of the outputs.

    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    _last_use: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, data: bytes) -> Graph:
        """Read a serialized ``ModelProto``.

        Raises:
            BundleError: an operator that has no counterpart here; it is named.

        """
        onnx = onnx_package()
        graph = onnx.load_model_from_string(data).graph
        constants = {tensor.name: _value(onnx.numpy_helper.to_array(tensor)) for tensor in graph.initializer}
        nodes: list[Node] = []
        for node in graph.node:
            attributes = {a.name: _attribute(onnx, onnx.helper.get_attribute_value(a)) for a in node.attribute}
            if node.op_type == "Constant":
                constants[node.output[0]] = _value(np.asarray(next(iter(attributes.values()))))
                continue
            _check(node.op_type)
            nodes.append(Node(node.op_type, tuple(node.input), tuple(node.output), attributes))
        inputs = tuple(one.name for one in graph.input if one.name not in constants)
        return cls(tuple(nodes), constants, inputs, tuple(one.name for one in graph.output))

    def run(self, feed: Mapping[str, Any], wanted: tuple[str, ...]) -> dict[str, Any]:
        """Return the values named ``wanted``.

        Raises:
            BundleError: a step fails on these inputs.

        """
        values: dict[str, Any] = {**self.constants, **feed, "": None}
        left = {name for name in wanted if name not in values}
        for node in self.nodes:
            if not left:
                break
            try:
                made = OPERATORS[node.kind]([values[name] for name in node.inputs], node.attributes)
            except (RuntimeError, ValueError, TypeError, KeyError, IndexError) as fault:
                raise BundleError(f"the step {node.kind} does not run in torch: {fault}") from fault
            for name, value in zip(node.outputs, made if isinstance(made, tuple) else (made,), strict=False):
                values[name] = value
                left.discard(name)
        return {name: values[name] for name in wanted}

    def last_linear(self) -> tuple[str, bool] | None:
        """Return the name of what goes into the last product with learned weights, and whether members come first.

        Weights (k, d, c) are those of k members, whose inputs are (k, b, d); weights (d, c) take (b, d). None: there is
        no such product.
        """
        ours = any(name.startswith(WEIGHT) for name in self.constants)
        learned = {
            name: value.dim()
            for name, value in self.constants.items()
            if isinstance(value, Tensor) and (name.startswith(WEIGHT) if ours else value.dtype == torch.float32)
        }
        found = None
        for node in self.nodes:
            known = [name for name in node.inputs if name in learned]
            if node.kind in _LINEAR and node.inputs[1] in learned and node.inputs[0] not in self.constants:
                if learned[node.inputs[1]] in (2, 3):
                    found = node.inputs[0], learned[node.inputs[1]] == 3
            elif known and all(name in learned or name in self.constants for name in node.inputs):
                learned |= dict.fromkeys(node.outputs, learned[known[0]])  # weights that are scaled or turned first
        return found

    def before(self, name: str, kinds: tuple[str, ...]) -> str:
        """Return what goes into the step that gives ``name`` where it is of one of these kinds, else ``name`` itself.

        So the logits behind a last softmax are found; steps that change nothing are walked through.
        """
        made = {output: node for node in self.nodes for output in node.outputs}
        while name in made and made[name].kind == "Identity":
            name = made[name].inputs[0]
        return made[name].inputs[0] if name in made and made[name].kind in kinds else name


def _check(kind: str) -> None:
    if kind in _TREES:
        raise BundleError("the model is made of trees: its scores have no gradient", "a net or a linear model")
    if kind not in OPERATORS:
        raise BundleError(f"the step {kind} of the graph has no counterpart in torch here", "a plain net")


def _value(array: Any) -> Any:
    if array.dtype.kind in "OSU":
        decode = np.vectorize(lambda v: v.decode() if isinstance(v, bytes) else str(v), otypes=[object])
        return decode(array) if array.size else array.astype(object)
    return torch.from_numpy(np.array(array, order="C", copy=True))


def _attribute(onnx: Any, value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)) or type(value).__name__.startswith("Repeated"):
        return [one.decode() if isinstance(one, bytes) else one for one in value]
    return value
