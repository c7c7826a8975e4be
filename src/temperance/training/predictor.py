"""A trained net with its preprocessing: raw rows in, probabilities or values out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from temperance.core.batch import call
from temperance.core.devices import widened
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
        shares: weights of the members, instead of the net's own.

    """

    schema: Schema
    preprocess: Preprocess
    model: nn.Module
    device: torch.device = CPU
    own_inputs: bool = True
    shares: tuple[float, ...] | None = None

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,), float64."""
        parts = []
        self.model.eval()
        for start in range(0, max(1, rows.size), CHUNK):
            chunk = rows.take(slice(start, start + CHUNK))
            parts.append(self._some(chunk))
        return np.concatenate(parts)

    def members(self, rows: Rows) -> NDArray[Any]:
        """Return what each member of the net says: probabilities (b, k, c) or values (b, k), float64.

        A net without members has one.
        """
        parts = []
        self.model.eval()
        task, counts = self.schema.target.task, self.schema.target.counts
        for start in range(0, max(1, rows.size), CHUNK):
            outputs = self._outputs(rows.take(slice(start, start + CHUNK)))
            each = outputs.double().transpose(0, 1) if outputs.dim() == 3 else outputs.double().unsqueeze(0)
            found = torch.stack([combine(one, task=task, counts=counts) for one in each], dim=1).cpu().numpy()
            parts.append(self.preprocess.unscale_target(found) if task == "regression" else found)
        return np.concatenate(parts)

    def member_shares(self, count: int) -> tuple[float, ...]:
        """Return the weights of the net's ``count`` members in its answer; they sum to 1."""
        known = self.shares or getattr(self.model, "shares", None)
        return (1.0 / count,) * count if known is None else tuple(float(share) for share in known)

    def _outputs(self, rows: Rows) -> Tensor:
        """Return the net's outputs as ``as_logits`` gives them."""
        inputs = net_inputs(self.preprocess, self.schema, rows, self.device, own=self.own_inputs)
        with torch.no_grad():
            return as_logits(widened(call(self.model, inputs)), self.schema.target.task)

    def _some(self, rows: Rows) -> NDArray[Any]:
        task = self.schema.target.task
        outputs = self._outputs(rows)
        with torch.no_grad():
            values: NDArray[Any] = (
                combine(
                    outputs,
                    task=task,
                    shares=self.shares or getattr(self.model, "shares", None),
                    counts=self.schema.target.counts,
                )
                .cpu()
                .double()
                .numpy()
            )
        if task == "regression":
            return self.preprocess.unscale_target(values)
        shares: NDArray[Any] = values / values.sum(axis=1, keepdims=True)
        return shares

    def on(self, model: nn.Module) -> NetPredictor:
        """Return the same path with another net."""
        return replace(self, model=model)


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
    """Return rows ready for training, with the table's weights; a numeric target is standardized.

    Shapes: index (n,).
    """
    inputs = net_inputs(preprocess, table.schema, table.rows.take(index), device, own=own)
    target = np.asarray(table.target[index])
    weight = None
    if table.weight is not None:
        weight = torch.from_numpy(table.weight[index].astype(np.float32)).to(device)
    if table.schema.target.task == "regression":
        return Examples(inputs, torch.from_numpy(preprocess.scale_target(target)).to(device), weight)
    return Examples(inputs, torch.from_numpy(target.astype(np.int64)).to(device), weight)
