"""What each ONNX operator of our graphs does, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Operation = Callable[[Sequence[Any], dict[str, Any]], Any]
OPS: dict[str, Operation] = {}
DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}


def op(*names: str) -> Callable[[Operation], Operation]:
    """Register what operators do: (inputs, attributes) → output, or a list of them."""

    def keep(function: Operation) -> Operation:
        OPS.update(dict.fromkeys(names, function))
        return function

    return keep


def _plain(function: Callable[..., Any]) -> Operation:
    return lambda inputs, _: function(*inputs)


def _folded(function: Callable[[Array, Array], Array]) -> Operation:
    def run(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
        first, *rest = inputs
        for one in rest:
            first = function(first, one)
        return first

    return run


for _name, _function in {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Pow": np.power, "Neg": np.negative, "Abs": np.abs,
    "Exp": np.exp, "Log": np.log, "Sqrt": np.sqrt, "Sin": np.sin, "Cos": np.cos, "Tan": np.tan, "Floor": np.floor,
    "Ceil": np.ceil, "Round": np.rint, "Reciprocal": np.reciprocal, "Sign": np.sign, "IsNaN": np.isnan,
    "IsInf": np.isinf, "Tanh": np.tanh, "Equal": np.equal, "Greater": np.greater, "Less": np.less,
    "GreaterOrEqual": np.greater_equal, "LessOrEqual": np.less_equal, "And": np.logical_and, "Or": np.logical_or,
    "Xor": np.logical_xor, "Not": np.logical_not, "Where": np.where, "MatMul": np.matmul, "Identity": np.asarray,
}.items():  # fmt: skip
    op(_name)(_plain(cast("Callable[..., Any]", _function)))
op("Max")(_folded(np.maximum))
op("Min")(_folded(np.minimum))


@op("Div")
def _div(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    x, y = inputs
    return x // y if x.dtype.kind in "iu" else x / y


@op("Sigmoid")
def _sigmoid(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    small = np.exp(-np.abs(inputs[0]))
    return np.where(inputs[0] >= 0, 1 / (1 + small), small / (1 + small))


@op("Relu")
def _relu(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    return np.maximum(inputs[0], inputs[0].dtype.type(0))


@op("Softplus")
def _softplus(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    return np.maximum(inputs[0], 0) + np.log1p(np.exp(-np.abs(inputs[0])))


@op("Clip")
def _clip(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    x = inputs[0]
    x = np.maximum(x, inputs[1]) if len(inputs) > 1 and inputs[1] is not None else x
    return np.minimum(x, inputs[2]) if len(inputs) > 2 and inputs[2] is not None else x


@op("Cast")
def _cast(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    return inputs[0].astype(DTYPES[given["to"]])


@op("Gemm")
def _gemm(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    x = inputs[0].T if given.get("transA") else inputs[0]
    y = inputs[1].T if given.get("transB") else inputs[1]
    out = (x @ y) * x.dtype.type(given.get("alpha", 1.0))
    return out + inputs[2] * x.dtype.type(given.get("beta", 1.0)) if len(inputs) > 2 else out


@op("LayerNormalization")
def _layer_norm(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    x = inputs[0]
    axes = tuple(range(given.get("axis", -1) % x.ndim, x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + x.dtype.type(given.get("epsilon", 1e-5)))
    out = centred / spread * inputs[1]
    return out + inputs[2] if len(inputs) > 2 else out


@op("BatchNormalization")
def _batch_norm(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    shape = (1, -1, *([1] * (inputs[0].ndim - 2)))
    scale, shift, mean, var = (one.reshape(shape) for one in inputs[1:5])
    return (inputs[0] - mean) / np.sqrt(var + var.dtype.type(given.get("epsilon", 1e-5))) * scale + shift


@op("Softmax")
def _softmax(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    axis = given.get("axis", -1)
    raised = np.exp(inputs[0] - inputs[0].max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


@op("LogSoftmax")
def _log_softmax(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    axis = given.get("axis", -1)
    x = inputs[0] - inputs[0].max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def _reduced(function: Callable[..., Any]) -> Operation:
    def run(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
        axes = tuple(int(n) for n in inputs[1]) if len(inputs) > 1 and len(inputs[1]) else None
        return np.asarray(function(inputs[0], axis=axes, keepdims=bool(given.get("keepdims", 1))))

    return run


def _log_sum(x: Array, *, axis: Any, keepdims: bool) -> Array:
    most = x.max(axis=axis, keepdims=True)
    most = np.where(np.isfinite(most), most, 0)
    total: Array = np.log(np.exp(x - most).sum(axis=axis, keepdims=True)) + most
    narrow: Array = total if keepdims else np.squeeze(total, axis=axis)
    return narrow


for _name, _function in {
    "ReduceSum": np.sum, "ReduceMean": np.mean, "ReduceMax": np.max, "ReduceMin": np.min, "ReduceLogSumExp": _log_sum,
}.items():  # fmt: skip
    op(_name)(_reduced(cast("Callable[..., Any]", _function)))


@op("Transpose")
def _transpose(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    return inputs[0].transpose(given["perm"])


@op("Unsqueeze")
def _unsqueeze(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    return np.expand_dims(inputs[0], tuple(int(n) for n in inputs[1]))


@op("Squeeze")
def _squeeze(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    return np.squeeze(inputs[0], axis=tuple(int(n) for n in inputs[1]) if len(inputs) > 1 else None)


@op("Reshape")
def _reshape(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    x = inputs[0]
    return x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(inputs[1])])


@op("Expand")
def _expand(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    sizes = tuple(int(n) for n in inputs[1])
    return np.broadcast_to(inputs[0], np.broadcast_shapes(inputs[0].shape, sizes))


@op("Concat")
def _concat(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    return np.concatenate(inputs, axis=given["axis"])


@op("Split")
def _split(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    return np.split(inputs[0], np.cumsum(inputs[1])[:-1], axis=given.get("axis", 0))


@op("Slice")
def _slice(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    x, starts, ends = inputs[0], inputs[1], inputs[2]
    axes = inputs[3] if len(inputs) > 3 else range(len(starts))
    steps = inputs[4] if len(inputs) > 4 else [1] * len(starts)
    index: list[slice] = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        first, last = int(start), int(end)
        index[int(axis)] = slice(first, None if step < 0 and last < -x.shape[int(axis)] else last, int(step))
    return x[tuple(index)]


@op("Gather")
def _gather(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    return np.take(inputs[0], inputs[1], axis=given.get("axis", 0))


@op("GatherElements")
def _gather_elements(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    return np.take_along_axis(inputs[0], inputs[1], axis=given.get("axis", 0))


@op("Shape")
def _shape(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    return np.array(inputs[0].shape[given.get("start", 0) : given.get("end")], dtype=np.int64)


@op("StringConcat")
def _string_concat(inputs: Sequence[Any], _: dict[str, Any]) -> Any:
    return inputs[0].astype(object) + inputs[1].astype(object)


@op("LabelEncoder")
def _label_encoder(inputs: Sequence[Any], given: dict[str, Any]) -> Any:
    known = given.setdefault("known", dict(zip(given["keys_strings"], given["values_int64s"], strict=True)))
    default = given.get("default_int64", -1)
    return np.array([known.get(word, default) for word in inputs[0].flat], dtype=np.int64).reshape(inputs[0].shape)
