"""Weights stored in fewer bits and widened when the model is loaded: a smaller file, the same arithmetic and speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.export.forms.base import Feed, Form, copied, no_weights, product_weights
from temperance.deployment.sketch import onnx_package
from temperance.records.errors import BundleError

SHORTEST = 32  # numbers that share one scale at least: below, the scales take more room than is won
STEPS = 127


@dataclass(frozen=True)
class StoredFloat(Form):
    """Weights as float16 (11 binary digits, up to 65,504) or bfloat16 (8 digits, the range of float32).

    Attributes:
        dtype: ``float16`` or ``bfloat16``.

    """

    dtype: str

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the form."""
        return f"{self.dtype} weights"

    @property
    def says(self) -> str:  # type: ignore[override]
        """What it does."""
        return f"weights stored as {self.dtype}, computed as before"

    def convert(self, model: Any, feed: Feed | None) -> Any:
        """Store the weights as ``dtype``.

        Raises:
            BundleError: no weights, or one that is too large for float16.

        """
        onnx = onnx_package()
        made, nodes = copied(model), []
        kind = getattr(onnx.TensorProto, self.dtype.upper())
        weights = [*product_weights(made)]
        if not weights:
            raise no_weights()
        for tensor in weights:
            array = onnx.numpy_helper.to_array(tensor)
            if self.dtype == "float16" and np.abs(array).max() > np.finfo(np.float16).max:
                raise BundleError("a weight is larger than float16 can hold", "at most 65504", "Use bfloat16")
            name, wide = tensor.name, tensor.data_type
            stored = f"{name}:{self.dtype}"
            nodes.append(onnx.helper.make_node("Cast", [stored], [name], to=wide))
            narrow = onnx.helper.tensor_dtype_to_np_dtype(kind)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float32).astype(narrow), stored))
        return put_first(made, nodes)


@dataclass(frozen=True)
class StoredInteger(Form):
    """w ≈ s · q with q an integer in −127 … 127 and one scale s per row or column: s = max |w| / 127.

    The scale runs along the longer of the last two axes (of a convolution: one for each filter), where at least
    ``SHORTEST`` numbers share it; narrower arrays are stored as float16.
    """

    name: ClassVar[str] = "int8 weights"
    says: ClassVar[str] = "weights stored as 8-bit integers with a scale per row or column, computed as before"

    def convert(self, model: Any, feed: Feed | None) -> Any:
        """Store the weights as int8.

        Raises:
            BundleError: no weights.

        """
        onnx = onnx_package()
        made, nodes, scales = copied(model), [], []
        weights = [*product_weights(made)]
        if not weights:
            raise no_weights()
        for tensor in weights:
            array, name, wide = onnx.numpy_helper.to_array(tensor), tensor.name, tensor.data_type
            axes = shared_axes(array)
            if np.prod([array.shape[axis] for axis in axes]) < SHORTEST:
                stored = f"{name}:float16"
                nodes.append(onnx.helper.make_node("Cast", [stored], [name], to=wide))
                low = np.clip(array, -65504, 65504).astype(np.float16)
                tensor.CopyFrom(onnx.numpy_helper.from_array(low, stored))
                continue
            whole, scale = rounded(array, axes)
            stored, widened = f"{name}:int8", f"{name}:widened"
            scales.append(onnx.numpy_helper.from_array(scale.astype(array.dtype), f"{name}:scale"))
            nodes += [
                onnx.helper.make_node("Cast", [stored], [widened], to=wide),
                onnx.helper.make_node("Mul", [widened, f"{name}:scale"], [name]),
            ]
            tensor.CopyFrom(onnx.numpy_helper.from_array(whole, stored))
        made.graph.initializer.extend(scales)
        return put_first(made, nodes)


def shared_axes(array: NDArray[Any]) -> tuple[int, ...]:
    """Return the axes along which numbers share a scale.

    Shapes: array of any shape, e.g. (in, out).
    """
    if array.ndim > 3:
        return tuple(range(1, array.ndim))
    if array.ndim < 2:
        return (0,)
    return (-2,) if array.shape[-2] >= array.shape[-1] else (-1,)


def rounded(array: NDArray[Any], axes: tuple[int, ...]) -> tuple[NDArray[np.int8], NDArray[Any]]:
    """Return (q, s) with array ≈ q · s; s has size 1 along ``axes``.

    Shapes: q as array.
    """
    largest = np.abs(array).max(axis=axes, keepdims=True)
    scale = np.where(largest > 0, largest / STEPS, 1.0)
    return np.clip(np.rint(array / scale), -STEPS, STEPS).astype(np.int8), scale


def put_first(model: Any, nodes: list[Any]) -> Any:
    """Return the model with nodes before all others."""
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])
    return model
