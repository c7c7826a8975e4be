"""A foreign ONNX file in torch: one input of numbers or pixels, scores with gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from temperance.deployment.opening.answers import Scale
from temperance.deployment.opening.as_scores import as_scores
from temperance.deployment.torch_graph.graph import Graph
from temperance.deployment.torch_graph.network import PARITY, as_inputs, open_network
from temperance.evaluation.aspects.base import Differentiable, Inputs
from temperance.records.errors import BundleError
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows, Schema

OURS = {"numeric", "categorical", "image"}


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """A foreign graph as ``Differentiable``.

    Attributes:
        graph: the graph.
        schema: columns and target of the data.
        output: name of the scores.
        scale: what they are.
        kind: type of the input.

    """

    graph: Graph
    schema: Schema
    output: str
    scale: Scale
    kind: torch.dtype

    def scores(self, inputs: Inputs) -> Tensor:
        """Return logits or log-probabilities (b, c), or values (b,)."""
        found: Tensor = self.graph.run(self._feed(inputs), (self.output,))[self.output]
        return as_scores(found, self.scale)

    def features(self, inputs: Inputs) -> Tensor | None:
        """Return what goes into the last product with learned weights (b, d), or None."""
        last = self.graph.last_linear()
        if last is None or last[1]:
            return None
        found: Tensor = self.graph.run(self._feed(inputs), (last[0],))[last[0]]
        return found.reshape(len(found), -1) if len(found) == len(inputs.numeric) else None

    def _feed(self, inputs: Inputs) -> dict[str, Any]:
        given = inputs.numeric if inputs.images is None else inputs.images.permute(0, 3, 1, 2) / 255.0
        return {self.graph.inputs[0]: given.to(self.kind)}


def open_in_torch(data: bytes, predictor: Predictor, *, output: str, scale: Scale, rows: Rows) -> Differentiable:
    """Read a graph and check that torch answers what ONNX Runtime answers.

    Args:
        data: the serialized graph.
        predictor: the same model by ONNX Runtime.
        output: name of its output.
        scale: what the output was taken for.
        rows: rows that both are asked for.

    Raises:
        BundleError: an operator without a counterpart, or answers that differ.

    """
    graph = Graph.read(data)
    if set(graph.inputs) <= OURS:
        return open_network(data, predictor.schema, predictor=predictor, probe=rows)
    before = graph.before(output, ("Softmax",))
    if before != output and scale == "probabilities":
        output, scale = before, "logits"
    network = OnnxNetwork(graph, predictor.schema, output, scale, torch.float32)
    with torch.no_grad():
        found = network.scores(as_inputs(rows)).double()
    values = predictor.schema.target.task == "regression"
    answer = (found if values else torch.softmax(found, dim=-1)).numpy()
    expected = np.asarray(predictor.predict(rows), dtype=np.float64)
    size = max(1.0, float(np.abs(expected).max(initial=0.0)))
    if answer.shape != expected.shape or not float(np.abs(answer - expected).max(initial=0.0)) / size <= PARITY:
        raise BundleError("the graph in torch answers other than in ONNX Runtime", f"at most {PARITY} apart")
    return network
