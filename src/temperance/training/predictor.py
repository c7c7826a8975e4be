"""A trained net with its preprocessing: raw rows in, probabilities or values out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from temperance.core.batch import call
from temperance.data.preprocess import Preprocess
from temperance.models.loss import combine
from temperance.records.schema import Rows, Schema
from temperance.records.table import Table
from temperance.training.loop import Examples

CHUNK = 4096
CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class NetPredictor:
    """A ``Predictor`` over a torch module.

    Attributes:
        schema: columns and target.
        preprocess: fitted on training rows.
        model: the net; gives logits (b, c), (b, k, c), or values (b,), (b, 1), (b, k, 1).
        own_inputs: the net is one of ours, called as ``net(numeric, categorical)`` or ``net(images)``; a user's net is
            called by ``user_inputs``.
        device: where it runs.

    """

    schema: Schema
    preprocess: Preprocess
    model: nn.Module
    device: torch.device = CPU
    own_inputs: bool = True

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,), float64."""
        parts = []
        self.model.eval()
        for start in range(0, max(1, rows.size), CHUNK):
            chunk = rows.take(slice(start, start + CHUNK))
            parts.append(self._some(chunk))
        return np.concatenate(parts)

    def _some(self, rows: Rows) -> NDArray[Any]:
        inputs = net_inputs(self.preprocess, self.schema, rows, self.device, own=self.own_inputs)
        with torch.no_grad():
            outputs = call(self.model, inputs).double()
            task = self.schema.target.task
            values: NDArray[Any] = combine(as_logits(outputs, task), task=task).cpu().numpy()
        if task == "regression":
            return self.preprocess.unscale_target(values)
        shares: NDArray[Any] = values / values.sum(axis=1, keepdims=True)
        return shares

    def on(self, model: nn.Module) -> NetPredictor:
        """Return the same path with another net."""
        return replace(self, model=model)


@dataclass(frozen=True, eq=False)
class Tempered:
    """Another predictor's probabilities with a temperature: p ∝ p^(1/T). Regression passes through, with ± half.

    Source of temperature scaling: Guo et al. (2017), arXiv:1706.04599, section 4.2.
    """

    inner: Any
    temperature: float = 1.0
    half: float | None = None

    @property
    def schema(self) -> Schema:
        """Columns and target of the inner predictor."""
        schema: Schema = self.inner.schema
        return schema

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return tempered probabilities (b, c), or the inner values (b,)."""
        return temper(self.inner.predict(rows), self.temperature)

    def interval(self, rows: Rows) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (low, high), each (b,); only where ``half`` is set."""
        values = self.inner.predict(rows)
        width = np.nan if self.half is None else self.half
        return values - width, values + width


def temper(values: NDArray[Any], temperature: float) -> NDArray[Any]:
    """Return p^(1/T), normalised, for (b, c); values (b,) as they are."""
    if values.ndim == 1 or temperature == 1.0:
        return values
    logs = np.log(np.maximum(values, 1e-300)) / temperature
    logs -= logs.max(axis=1, keepdims=True)
    shares = np.exp(logs)
    return shares / shares.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def as_logits(outputs: Tensor, task: str) -> Tensor:
    """Bring a net's outputs to (b, c), (b, k, c), (b, 1) or (b, k, 1): one logit of two classes becomes two."""
    if outputs.dim() == 1:
        outputs = outputs.unsqueeze(-1)
    if task != "regression" and outputs.shape[-1] == 1:
        return torch.cat([torch.zeros_like(outputs), outputs], dim=-1)
    return outputs


def net_inputs(preprocess: Preprocess, schema: Schema, rows: Rows, device: torch.device, *, own: bool = True) -> Any:
    """Return what the net is called with.

    Our nets: ``(numeric, categorical)`` for tables, the images (b, c, h, w) otherwise. A user's net: one tensor where
    the table has no categories, else the same pair.
    """
    features = preprocess.transform(rows)
    if features.images is not None:
        return torch.from_numpy(features.images).to(device)
    numeric = torch.from_numpy(np.ascontiguousarray(features.numeric)).to(device)
    if not own and not schema.categorical:
        return numeric
    return numeric, torch.from_numpy(np.ascontiguousarray(features.categorical)).to(device)


def examples(
    preprocess: Preprocess, table: Table, index: NDArray[Any], device: torch.device, *, own: bool = True
) -> Examples:
    """Return rows ready for training, with the table's weights; a numeric target is standardized."""
    inputs = net_inputs(preprocess, table.schema, table.rows.take(index), device, own=own)
    target = np.asarray(table.target[index])
    weight = None
    if table.weight is not None:
        weight = torch.from_numpy(table.weight[index].astype(np.float32)).to(device)
    if table.schema.target.task == "regression":
        return Examples(inputs, torch.from_numpy(preprocess.scale_target(target)).to(device), weight)
    return Examples(inputs, torch.from_numpy(target.astype(np.int64)).to(device), weight)
