"""What each ONNX operator of our graphs does, in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from temperance.records.errors import BundleError

OPS: dict[str, Callable[[Call], Any]] = {}
DTYPES = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float16,
    11: torch.float64, 16: torch.bfloat16,
}  # fmt: skip


class Call:
    """One node at work: its attributes and its inputs.

    Args:
        op: the operator.
        attributes: by name.
        values: inputs, tensors or, where they are sizes, tuples of integers; None: left out.
        static: integers of the inputs that are constants.

    """

    def __init__(self, op: str, attributes: dict[str, Any], values: Sequence[Any], static: Sequence[Any]) -> None:
        self.op, self.attributes, self.values, self.static = op, attributes, values, static

    def __len__(self) -> int:
        return len(self.values)

    def has(self, i: int) -> bool:
        """Return whether there is an input ``i``."""
        return i < len(self.values) and self.values[i] is not None

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""
        return self.attributes.get(name, default)

    def tensor(self, i: int) -> Tensor:
        """Return input ``i`` as a tensor, of whatever shape: (b, …) or a constant's."""
        value = self.values[i]
        return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.int64)

    def tensors(self) -> list[Tensor]:
        """Return all inputs as tensors, of whatever shapes: (b, …) or a constant's."""
        return [self.tensor(i) for i in range(len(self))]

    def integers(self, i: int) -> list[Any]:
        """Return input ``i`` as integers that are known before a row is.

        Raises:
            BundleError: they depend on the rows.

        """
        if isinstance(self.values[i], tuple):
            return list(self.values[i])
        if self.static[i] is None:
            raise BundleError(f"the operator {self.op} takes sizes from the rows", "sizes that are known before")
        return [int(value) for value in self.static[i].reshape(-1)]


def op(*names: str) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Register what an operator does."""

    def keep(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        OPS.update(dict.fromkeys(names, function))
        return function

    return keep


def _pointwise(function: Callable[..., Any]) -> Callable[[Call], Any]:
    return lambda call: function(*call.tensors())


def _folded(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Call], Any]:
    def run(call: Call) -> Tensor:
        first, *rest = call.tensors()
        for one in rest:
            first = function(first, one)
        return first

    return run


for _name, _function in {
    "Add": torch.add, "Sub": torch.sub, "Div": torch.div, "Pow": torch.pow, "Neg": torch.neg, "Abs": torch.abs,
    "Exp": torch.exp, "Log": torch.log, "Sqrt": torch.sqrt, "Sin": torch.sin, "Cos": torch.cos, "Tan": torch.tan,
    "Erf": torch.erf, "Floor": torch.floor, "Ceil": torch.ceil, "Round": torch.round, "Reciprocal": torch.reciprocal,
    "Sign": torch.sign, "IsNaN": torch.isnan, "IsInf": torch.isinf, "Atan": torch.atan, "Sinh": torch.sinh,
    "Cosh": torch.cosh, "HardSwish": functional.hardswish, "Mish": functional.mish, "Relu": torch.relu,
    "Tanh": torch.tanh,
    "Sigmoid": torch.sigmoid, "Equal": torch.eq, "Greater": torch.gt, "Less": torch.lt, "GreaterOrEqual": torch.ge,
    "LessOrEqual": torch.le, "And": torch.logical_and, "Or": torch.logical_or, "Xor": torch.logical_xor,
    "Not": torch.logical_not, "Where": torch.where, "MatMul": torch.matmul,
}.items():  # fmt: skip
    op(_name)(_pointwise(cast("Callable[..., Any]", _function)))
op("Max")(_folded(torch.maximum))
op("Min")(_folded(torch.minimum))


@op("Softplus")
def _softplus(call: Call) -> Tensor:
    x = call.tensor(0)
    return torch.clamp_min(x, 0) + torch.log1p(torch.exp(-torch.abs(x)))


@op("Mul")
def _mul(call: Call) -> Any:
    if all(
        isinstance(value, tuple) or known is not None for value, known in zip(call.values, call.static, strict=True)
    ):
        return tuple(a * b for a, b in zip(call.integers(0), call.integers(1), strict=True))
    return call.tensor(0) * call.tensor(1)


@op("Identity")
def _identity(call: Call) -> Any:
    return call.values[0]


@op("Clip")
def _clip(call: Call) -> Tensor:
    x = call.tensor(0)
    x = torch.maximum(x, call.tensor(1)) if call.has(1) else x
    return torch.minimum(x, call.tensor(2)) if call.has(2) else x


@op("Cast")
def _cast(call: Call) -> Any:
    return call.tensor(0).to(DTYPES[call.get("to")])


@op("Gelu")
def _gelu(call: Call) -> Tensor:
    return functional.gelu(call.tensor(0), approximate=call.get("approximate", "none"))


@op("LeakyRelu")
def _leaky(call: Call) -> Tensor:
    return functional.leaky_relu(call.tensor(0), call.get("alpha", 0.01))


@op("Elu")
def _elu(call: Call) -> Tensor:
    return functional.elu(call.tensor(0), call.get("alpha", 1.0))


@op("Gemm")
def _gemm(call: Call) -> Tensor:
    x = call.tensor(0).mT if call.get("transA", 0) else call.tensor(0)
    y = call.tensor(1).mT if call.get("transB", 0) else call.tensor(1)
    out = call.get("alpha", 1.0) * (x @ y)
    return torch.add(out, call.tensor(2), alpha=call.get("beta", 1.0)) if call.has(2) else out


@op("Conv")
def _conv(call: Call) -> Tensor:
    axes = call.tensor(1).dim() - 2
    pads = call.get("pads", [0] * 2 * axes)
    if pads[:axes] != pads[axes:]:
        raise BundleError("a convolution with uneven padding", "the same on both sides")
    convolve = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[axes]
    bias = call.tensor(2) if call.has(2) else None
    strides, dilations = call.get("strides", [1] * axes), call.get("dilations", [1] * axes)
    return convolve(call.tensor(0), call.tensor(1), bias, strides, pads[:axes], dilations, call.get("group", 1))


@op("MaxPool", "AveragePool")
def _pool(call: Call) -> Tensor:
    kernel = call.get("kernel_shape")
    pads, strides = call.get("pads", [0] * 4), call.get("strides", [1, 1])
    if len(kernel) != 2 or pads[:2] != pads[2:]:
        raise BundleError("pooling that is not over images, or with uneven padding", "two axes, even padding")
    if call.op == "MaxPool":
        dilations, ceil = call.get("dilations", [1, 1]), bool(call.get("ceil_mode", 0))
        return functional.max_pool2d(call.tensor(0), kernel, strides, pads[:2], dilations, ceil)
    return functional.avg_pool2d(
        call.tensor(0), kernel, strides, pads[:2], False, bool(call.get("count_include_pad", 0))
    )


@op("GlobalAveragePool")
def _global_pool(call: Call) -> Tensor:
    x = call.tensor(0)
    return x.mean(dim=list(range(2, x.dim())), keepdim=True)


@op("BatchNormalization")
def _batch_norm(call: Call) -> Tensor:
    x, scale, shift, mean, var = call.tensors()
    return functional.batch_norm(x, mean, var, scale, shift, False, 0.0, call.get("epsilon", 1e-5))


@op("LayerNormalization")
def _layer_norm(call: Call) -> Tensor:
    scale = call.tensor(1)
    shift = call.tensor(2) if call.has(2) else None
    return functional.layer_norm(call.tensor(0), scale.shape, scale, shift, call.get("epsilon", 1e-5))


@op("Softmax")
def _softmax(call: Call) -> Tensor:
    return torch.softmax(call.tensor(0), dim=call.get("axis", -1))


@op("LogSoftmax")
def _log_softmax(call: Call) -> Tensor:
    return torch.log_softmax(call.tensor(0), dim=call.get("axis", -1))


def _reduced(function: Callable[..., Any]) -> Callable[[Call], Any]:
    def run(call: Call) -> Tensor:
        x = call.tensor(0)
        axes = call.integers(1) if call.has(1) else list(range(x.dim()))
        result: Tensor = function(x, dim=axes, keepdim=bool(call.get("keepdims", 1)))
        return result

    return run


for _name, _function in {
    "ReduceSum": torch.sum, "ReduceMean": torch.mean, "ReduceMax": torch.amax, "ReduceMin": torch.amin,
    "ReduceLogSumExp": torch.logsumexp, "ReduceL2": torch.linalg.vector_norm,
}.items():  # fmt: skip
    op(_name)(_reduced(_function))


@op("Transpose")
def _transpose(call: Call) -> Tensor:
    return call.tensor(0).permute(call.get("perm"))


@op("Unsqueeze")
def _unsqueeze(call: Call) -> Tensor:
    x = call.tensor(0)
    for axis in sorted(axis % (x.dim() + len(call.integers(1))) for axis in call.integers(1)):
        x = x.unsqueeze(axis)
    return x


@op("Squeeze")
def _squeeze(call: Call) -> Tensor:
    return call.tensor(0).squeeze(tuple(call.integers(1))) if call.has(1) else call.tensor(0).squeeze()


@op("Reshape")
def _reshape(call: Call) -> Tensor:
    x, sizes = call.tensor(0), call.integers(1)
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(sizes)])


@op("Expand")
def _expand(call: Call) -> Tensor:
    x, sizes = call.tensor(0), call.integers(1)
    wide = [1] * (len(sizes) - x.dim()) + list(x.shape)
    return x.broadcast_to([size if was == 1 else was for was, size in zip(wide[-len(sizes) :], sizes, strict=True)])


@op("Concat")
def _concat(call: Call) -> Any:
    if any(isinstance(value, tuple) for value in call.values):
        return tuple(size for i in range(len(call)) for size in call.integers(i))
    return torch.cat(call.tensors(), dim=call.get("axis"))


@op("Split")
def _split(call: Call) -> list[Tensor]:
    return list(torch.split(call.tensor(0), call.integers(1), dim=call.get("axis", 0)))


@op("Slice")
def _slice(call: Call) -> Tensor:
    x, starts, ends = call.tensor(0), call.integers(1), call.integers(2)
    axes = call.integers(3) if call.has(3) else list(range(len(starts)))
    steps = call.integers(4) if call.has(4) else [1] * len(starts)
    if any(step < 1 for step in steps):
        raise BundleError("a slice that runs backwards", "forwards")
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index = [slice(None)] * x.dim()
        index[axis] = slice(start, None if end >= 2**31 else end, step)
        x = x[tuple(index)]
    return x


@op("Gather")
def _gather(call: Call) -> Tensor:
    axis = call.get("axis", 0)
    index = call.tensor(1)
    x = call.tensor(0)
    flat = torch.index_select(x, axis, torch.where(index < 0, index + x.shape[axis], index).reshape(-1))
    return flat.reshape([*x.shape[:axis], *index.shape, *x.shape[axis % x.dim() + 1 :]])


@op("GatherElements")
def _gather_elements(call: Call) -> Tensor:
    return torch.gather(call.tensor(0), call.get("axis", 0), call.tensor(1))


@op("Shape")
def _shape(call: Call) -> tuple[int, ...]:
    return tuple(call.tensor(0).shape[call.get("start", 0) : call.get("end")])
