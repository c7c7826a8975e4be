"""A torch module as part of a bundle's graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from temperance.deployment.aten import draw_module
from temperance.deployment.aten.tape import BatchSize, Unsupported, Value
from temperance.deployment.base import Part, log_probabilities
from temperance.deployment.encoding import Encoding, draw_image, draw_numeric, draw_words
from temperance.deployment.general import draw_general
from temperance.deployment.sketch import Sketch
from temperance.models.loss import STEEP
from temperance.records.errors import BundleError
from temperance.records.schema import Schema, Target

if TYPE_CHECKING:
    from temperance.data.preprocess import Preprocess


@dataclass(frozen=True, eq=False)
class Network(Part):
    """A trained net with its preprocessing.

    Attributes:
        module: the net, in evaluation mode; gives logits (b, c) or (b, k, c), or values (b,), (b, 1) or (b, k, 1).
        encoding: preprocessing arrays.
        inputs: which features it takes and in which order: ``numeric``, ``categorical``, ``image``.
        keywords: call ``module(numeric=…)`` with the names of ``inputs`` instead of by position.
        centre: added to a regression output after ``scale``: value = output × scale + centre, in float64.
        scale: see ``centre``.
        temperature: divides the logits of every member (after calibration).
        exporter: ``auto`` (own rules, then torch's exporter), ``rules`` or ``general``.

    """

    module: nn.Module
    encoding: Encoding
    inputs: tuple[str, ...] = ("numeric", "categorical")
    keywords: bool = False
    centre: float = 0.0
    scale: float = 1.0
    temperature: float = 1.0
    exporter: str = "auto"
    log: bool = False

    @classmethod
    def of(cls, module: nn.Module, fitted: Preprocess, schema: Schema, *, temperature: float = 1.0) -> Self:
        """Take over a net, called ``net(numeric, categorical)`` or ``net(images)``, and its ``data.Preprocess``."""
        return cls(
            module,
            Encoding.of(fitted, schema),
            inputs=("image",) if schema.kind == "images" else ("numeric", "categorical"),
            centre=fitted.target_mean,
            scale=fitted.target_sd,
            log=schema.target.counts,
            temperature=temperature,
        )

    def draw(self, sketch: Sketch, target: Target) -> str:
        names = [self._feature(sketch, name) for name in self.inputs]
        was_training = self.module.training
        self.module.eval()
        try:
            output = self._draw_module(sketch, names)
        finally:
            self.module.train(was_training)
        rank, width = len(output.shape), _width(output)
        if target.task != "regression":
            logits = sketch.cast(output.name, np.float64)
            if self.temperature != 1.0:
                logits = sketch.add("Div", logits, sketch.constant(self.temperature, np.float64))
            return log_probabilities(
                sketch, logits, rank=rank, width=width, classes=len(target.classes), shares=self._shares()
            )
        return self._values(sketch, output)

    def arrays(self) -> dict[str, NDArray[Any]]:
        state = self.module.state_dict()
        return {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}

    def feed(self, size: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return example inputs of ``size`` rows, positional and by keyword."""
        generator = torch.Generator().manual_seed(0)
        tensors = {name: self._example(name, size, generator) for name in self.inputs}
        return ((), tensors) if self.keywords else (tuple(tensors.values()), {})

    def _draw_module(self, sketch: Sketch, names: list[str]) -> Value:
        if self.exporter != "general":
            mark = sketch.mark()
            try:
                return draw_module(sketch, self.module, self.feed, names)
            except Unsupported as reason:
                sketch.undo(mark)
                if self.exporter == "rules":
                    raise BundleError(
                        f"the net cannot be exported by rule: {reason}", "", "Use exporter='auto'"
                    ) from reason
        return draw_general(sketch, self.module, self.feed, names)

    def _shares(self) -> NDArray[np.float64] | None:
        given = getattr(self.module, "shares", None)
        return None if given is None else np.asarray(given, dtype=np.float64)

    def _feature(self, sketch: Sketch, name: str) -> str:
        if name == "numeric":
            kind = np.float32 if self.encoding.largest is None else np.int64
            return draw_numeric(sketch, self.encoding) if self.encoding.width else _empty(sketch, kind)
        if name == "categorical":
            if not sketch.schema.categorical:
                return _empty(sketch, np.int64)
            return draw_words(sketch, self.encoding.words)
        if name == "image":
            return draw_image(sketch, self.encoding)
        raise BundleError(f"there is no feature {name!r}", "known are numeric, categorical, image")

    def _example(self, name: str, size: int, generator: torch.Generator) -> torch.Tensor:
        if name == "numeric" and self.encoding.largest is not None:
            return torch.zeros(size, self.encoding.width, dtype=torch.int64)
        if name == "numeric":
            encoding = self.encoding
            numbers = torch.randn(size, len(encoding.centre), generator=generator)
            flags = torch.zeros(size, len(encoding.flagged))
            blocks = torch.randn(size, sum(block.width for block in encoding.blocks), generator=generator)
            return torch.cat([numbers, flags, blocks], dim=1)
        if name == "categorical":
            return torch.zeros(size, len(self.encoding.words), dtype=torch.int64)
        height, width, channels = self.encoding.image_shape or (1, 1, 1)
        return torch.randn(size, channels, height, width, generator=generator)

    def _values(self, sketch: Sketch, output: Value) -> str:
        name, rank = sketch.cast(output.name, np.float64), len(output.shape)
        name = mean_of_log(sketch, name) if self.log else name
        if rank > 1:
            if _width(output) != 1:
                raise BundleError(f"the net gives {_width(output)} outputs", "regression takes one")
            shares = self._shares()
            if shares is None:
                name = sketch.add("ReduceMean", name, sketch.constant(range(1, rank), np.int64), keepdims=0)
            else:
                values = sketch.add("Squeeze", name, sketch.constant([2], np.int64))
                name = sketch.add("MatMul", values, sketch.constant(shares, np.float64))
        scaled = sketch.add("Mul", name, sketch.constant(self.scale, np.float64))
        return sketch.add("Add", scaled, sketch.constant(self.centre, np.float64))


def mean_of_log(sketch: Sketch, logs: str) -> str:
    """Return exp(z), straight on above ``STEEP``, as ``models.loss.mean_of_log`` does."""
    steep = sketch.constant(STEEP, np.float64)
    low = sketch.add("Exp", sketch.add("Min", logs, steep))
    over = sketch.add("Max", sketch.add("Sub", logs, steep), sketch.constant(0.0, np.float64))
    return sketch.add("Mul", low, sketch.add("Add", over, sketch.constant(1.0, np.float64)))


def _empty(sketch: Sketch, dtype: Any) -> str:
    """Return a feature block of no columns, (b, 0)."""
    rows = sketch.add("Shape", sketch.schema_input, start=0, end=1)
    shape = sketch.add("Concat", rows, sketch.constant([0], np.int64), axis=0)
    return sketch.add("Expand", sketch.constant(np.zeros((1, 1)), dtype), shape)


def _width(output: Value) -> int:
    last = output.shape[-1] if len(output.shape) > 1 else 1
    if isinstance(last, BatchSize) or not isinstance(output.shape[0] if output.shape else 0, BatchSize):
        raise BundleError(f"the net gives an output of shape {output.shape}", "its first axis is the batch")
    return int(last)
