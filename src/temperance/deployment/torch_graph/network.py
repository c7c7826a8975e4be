"""A graph as ``evaluation.aspects.base.Differentiable``: raw rows as tensors in, scores with gradients out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from temperance.data.blocks import Block
from temperance.deployment.torch_graph.graph import Graph
from temperance.evaluation.aspects.base import Inputs
from temperance.records.errors import BundleError
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows, Schema

PARITY = 1e-4  # largest difference to ONNX Runtime; the server's own gate is 1e-5 and float32 sums differ by order


@dataclass(frozen=True, eq=False)
class GraphNetwork:
    """The model of a bundle in torch.

    Attributes:
        graph: the bundle's graph.
        schema: columns and target.
        output: name of its scores: what goes into the last softmax, or the values.

    """

    graph: Graph
    schema: Schema
    output: str

    def scores(self, inputs: Inputs) -> Tensor:
        """Return log-probabilities up to a constant per row (b, c), or values (b,), float64.

        Raises:
            BundleError: the model does not run on these inputs.

        """
        found: Tensor = self.graph.run(self._feed(inputs), (self.output,))[self.output]
        return found

    def features(self, inputs: Inputs) -> Tensor | None:
        """Return what goes into the last product with learned weights (b, d).

        Of k members side by side all of them, (b, k · d); of a mixture of several nets that of its last one; of a
        linear model its inputs.
        """
        last = self.graph.last_linear()
        if last is None:
            return None
        found: Tensor = self.graph.run(self._feed(inputs), (last[0],))[last[0]]
        if last[1] and found.dim() == 3:
            found = found.transpose(0, 1)
        return found.reshape(len(found), -1) if len(found) == len(inputs.numeric) else None

    def _feed(self, inputs: Inputs) -> dict[str, Any]:
        known: dict[str, Any] = {}
        if "image" in self.graph.inputs:
            if inputs.images is None:
                raise BundleError("rows without images", "an image model takes images")
            known["image"] = inputs.images
        if "numeric" in self.graph.inputs:
            known["numeric"] = inputs.numeric.to(torch.float64)
        if "categorical" in self.graph.inputs:
            known["categorical"] = self.schema.decode(inputs.categorical.numpy().astype(np.int32))
        if "rows" in self.graph.inputs:
            known["rows"] = torch.zeros(len(inputs.numeric))
        return known


def as_inputs(rows: Rows) -> Inputs:
    """Return raw rows as tensors."""
    return Inputs(
        torch.from_numpy(np.array(rows.numeric, dtype=np.float64)),
        torch.from_numpy(np.array(rows.categorical, dtype=np.int64)),
        None if rows.images is None else torch.from_numpy(np.array(rows.images, dtype=np.float64)),
    )


def open_network(
    data: bytes, schema: Schema, *, predictor: Predictor, probe: Rows, blocks: Sequence[Block] = ()
) -> GraphNetwork:
    """Read a graph and check that torch answers what ONNX Runtime answers.

    Args:
        data: the serialized graph, as ``temperance`` writes it.
        schema: columns and target.
        predictor: the same model as it is served.
        probe: rows that both are asked for, at least one.
        blocks: what is computed outside the graph from text and series.

    Raises:
        BundleError: an operator without a counterpart, blocks of text or series, or answers that differ.

    """
    if blocks:
        raise BundleError(
            "the model reads text or series outside its graph", "a model of numbers, categories or images"
        )
    graph = Graph.read(data)
    name = graph.outputs[0]
    classes = schema.target.task != "regression"
    network = GraphNetwork(graph, schema, graph.before(name, ("Softmax",)) if classes else name)
    inputs = as_inputs(probe)
    leaf = inputs.numeric if inputs.images is None else inputs.images
    found = network.scores(
        inputs._replace(numeric=leaf.requires_grad_()) if inputs.images is None
        else inputs._replace(images=leaf.requires_grad_())
    )  # fmt: skip
    if not found.requires_grad:
        raise BundleError(
            "the model's scores have no gradient: they do not depend on numbers or pixels", "a model that reads numbers"
        )
    scores = found.detach().double()
    answer = (torch.softmax(scores, dim=-1) if classes else scores).numpy()
    expected = np.asarray(predictor.predict(probe), dtype=np.float64)
    scale = 1.0 if classes else max(1.0, float(np.abs(expected).max(initial=0.0)))
    worst = float(np.abs(answer - expected).max()) / scale if answer.shape == expected.shape else np.inf
    if not worst <= PARITY:
        raise BundleError(f"the model in torch differs from the one that is served by {worst:.2g}", f"at most {PARITY}")
    return network
