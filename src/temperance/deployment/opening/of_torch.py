"""A user's ``torch.nn.Module`` as a ``Subject``, with gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from temperance.deployment.opening.answers import Scale, as_answers, scale_of
from temperance.deployment.opening.as_scores import as_scores
from temperance.evaluation.aspects.base import Differentiable, Inputs, Subject
from temperance.records.errors import BundleError, DataError, TaskError
from temperance.records.schema import Rows, Schema

CHUNK = 4096


@dataclass(eq=False)
class ModulePredictor:
    """A module as a ``Predictor`` and as ``Differentiable``; it is kept in evaluation mode.

    Attributes:
        schema: columns and target of the data.
        module: the net.
        scale: what its outputs are; decided on the first rows that it is asked.

    """

    schema: Schema
    module: nn.Module
    scale: Scale | None = None

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,)."""
        parts = []
        with torch.no_grad():
            for start in range(0, max(rows.size, 1), CHUNK):
                inputs = _inputs(rows.take(slice(start, start + CHUNK)))
                parts.append(self._call(inputs).detach().double().cpu().numpy())
        raw = np.concatenate(parts)
        if self.scale is None:
            self.scale = scale_of(raw, self.schema.target)
        return as_answers(raw, self.scale)

    def scores(self, inputs: Inputs) -> Tensor:
        """Return logits (b, c) or values (b,); probabilities as their logarithms.

        Raises:
            BundleError: the module was not asked for predictions yet.

        """
        if self.scale is None:
            raise BundleError("scores before the first prediction", "", "Ask predict first: it says what outputs are")
        return as_scores(self._call(inputs), self.scale)

    def features(self, inputs: Inputs) -> Tensor | None:
        """Return the input (b, d) of the last linear layer that runs, or None."""
        seen: list[Tensor] = []
        linear = [m for m in self.module.modules() if isinstance(m, nn.Linear)]
        hooks = [m.register_forward_hook(lambda _, given, __: seen.append(given[0])) for m in linear]
        try:
            self._call(inputs)
        finally:
            for hook in hooks:
                hook.remove()
        return seen[-1].reshape(len(seen[-1]), -1) if seen else None

    def _call(self, inputs: Inputs) -> Tensor:
        self.module.eval()
        kind = next((p.dtype for p in self.module.parameters() if p.is_floating_point()), torch.float32)
        if self.schema.kind == "images":
            if inputs.images is None:
                raise DataError("rows without images", "images for a model of images", "Check the data")
            given: tuple[Tensor, ...] = ((inputs.images.permute(0, 3, 1, 2) / 255.0).to(kind),)
        elif self.schema.categorical:
            given = (inputs.numeric.to(kind), (inputs.categorical + 1).clamp_min(0))
        else:
            given = (inputs.numeric.to(kind),)
        try:
            out = self.module(*given)
        except (RuntimeError, ValueError, TypeError, IndexError) as fault:
            shapes = ", ".join(str(tuple(one.shape)) for one in given)
            raise TaskError(
                f"the module fails on inputs of shape {shapes}: {str(fault).splitlines()[0][:300]}",
                "a module that takes these inputs: see `temperance evaluate --help`",
                "Wrap the net in a module that brings them to its own form",
            ) from fault
        if not isinstance(out, Tensor):
            raise TaskError(f"the module gave a {type(out).__name__}", "one tensor", "Return logits or values alone")
        return out


def open_module(module: nn.Module, schema: Schema, *, name: str, place: str) -> Subject:
    """Open a module; it is put in evaluation mode.

    Raises:
        DataError: columns of text or series, which a module cannot take here.

    """
    others = [c.name for c in (*schema.text, *schema.series)]
    if others:
        raise DataError(f"columns of text or series ({others[0]!r})", "numbers, categories or images", "Drop them")
    module.eval()
    predictor = ModulePredictor(schema, module)

    def network() -> Differentiable:
        if predictor.scale is None:
            raise BundleError("the module was not asked for predictions yet", "", "Ask predict first")
        return predictor

    reasons = {"training_rows": "a module from code does not say which rows it learned from"}
    return Subject(predictor, kind="torch", name=name, open_network=network, reasons=reasons, place=place)


def _inputs(rows: Rows) -> Inputs:
    return Inputs(
        torch.from_numpy(np.array(rows.numeric, dtype=np.float64)),
        torch.from_numpy(np.array(rows.categorical, dtype=np.int64)),
        None if rows.images is None else torch.from_numpy(np.array(rows.images, dtype=np.float64)),
    )
