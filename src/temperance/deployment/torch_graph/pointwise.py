"""Operators that act value by value, and words. Each takes the inputs and the attributes of its node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Attributes = dict[str, Any]
Operator = Callable[[Sequence[Any], Attributes], Any]

TYPES = {1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64,
         9: torch.bool, 10: torch.float16, 11: torch.float64}  # fmt: skip  # TensorProto.DataType


def _unary(function: Callable[[Tensor], Tensor]) -> Operator:
    return lambda x, a: function(x[0])


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    return lambda x, a: function(x[0], x[1])


def _div(x: Sequence[Any], a: Attributes) -> Tensor:
    whole = not x[0].is_floating_point()
    quotient: Tensor = torch.div(x[0], x[1], rounding_mode="trunc") if whole else x[0] / x[1]
    return quotient


def _clip(x: Sequence[Any], a: Attributes) -> Tensor:
    low, high = (x[i] if len(x) > i and x[i] is not None else None for i in (1, 2))
    out: Tensor = x[0]
    out = out if low is None else torch.maximum(out, low.to(out.dtype))
    return out if high is None else torch.minimum(out, high.to(out.dtype))


def _gelu(x: Sequence[Any], a: Attributes) -> Tensor:
    return functional.gelu(x[0], approximate=a.get("approximate", "none"))


def _hard_sigmoid(x: Sequence[Any], a: Attributes) -> Tensor:
    line: Tensor = a.get("alpha", 0.2) * x[0] + a.get("beta", 0.5)
    return line.clamp(0.0, 1.0)


def _prelu(x: Sequence[Any], a: Attributes) -> Tensor:
    return torch.where(x[0] >= 0, x[0], x[0] * x[1])


def _mod(x: Sequence[Any], a: Attributes) -> Tensor:
    return torch.fmod(x[0], x[1]) if a.get("fmod") else torch.remainder(x[0], x[1])


def _cast(x: Sequence[Any], a: Attributes) -> Tensor:
    if isinstance(x[0], np.ndarray):
        return torch.as_tensor(x[0].astype(np.float64)).to(TYPES[a["to"]])
    return x[0].to(TYPES[a["to"]])  # type: ignore[no-any-return]


def _string_concat(x: Sequence[Any], a: Attributes) -> np.ndarray[Any, Any]:
    joined: np.ndarray[Any, Any] = np.asarray(x[0], dtype=object) + np.asarray(x[1], dtype=object)
    return joined


def _label_encoder(x: Sequence[Any], a: Attributes) -> Any:
    keys = next(a[name] for name in ("keys_strings", "keys_int64s", "keys_floats") if name in a)
    kinds = {"values_int64s": "default_int64", "values_floats": "default_float", "values_strings": "default_string"}
    name = next(one for one in kinds if one in a)
    default = a.get(kinds[name], {"default_int64": -1, "default_float": -0.0, "default_string": "_Unused"}[kinds[name]])
    known = dict(zip(keys, a[name], strict=True))
    given = x[0] if isinstance(x[0], np.ndarray) else x[0].numpy()
    found = [known.get(one, default) for one in given.reshape(-1).tolist()]
    if name == "values_strings":
        return np.array(found, dtype=object).reshape(given.shape)
    kind = torch.int64 if name == "values_int64s" else torch.float32
    return torch.tensor(found, dtype=kind).reshape(given.shape)


def _many(function: Callable[[Any, Any], Any]) -> Operator:
    return lambda x, a: reduce(function, x)


POINTWISE: dict[str, Operator] = {
    "Abs": _unary(torch.abs), "Ceil": _unary(torch.ceil), "Cos": _unary(torch.cos), "Erf": _unary(torch.erf),
    "Exp": _unary(torch.exp), "Floor": _unary(torch.floor), "Identity": lambda x, a: x[0],
    "Dropout": lambda x, a: x[0], "IsNaN": _unary(torch.isnan), "IsInf": _unary(torch.isinf),
    "Log": _unary(torch.log), "Mish": _unary(functional.mish), "Neg": _unary(torch.neg),
    "Not": _unary(torch.logical_not),
    "HardSwish": _unary(functional.hardswish), "Reciprocal": _unary(torch.reciprocal), "Relu": _unary(functional.relu),
    "Round": _unary(torch.round), "Sigmoid": _unary(torch.sigmoid), "Sign": _unary(torch.sign),
    "Sin": _unary(torch.sin), "Softplus": lambda x, a: torch.logaddexp(x[0], torch.zeros_like(x[0])),
    "Softsign": _unary(functional.softsign), "Sqrt": _unary(torch.sqrt), "Tanh": _unary(torch.tanh),
    "Elu": lambda x, a: functional.elu(x[0], alpha=a.get("alpha", 1.0)),
    "Celu": lambda x, a: functional.celu(x[0], alpha=a.get("alpha", 1.0)),
    "LeakyRelu": lambda x, a: functional.leaky_relu(x[0], negative_slope=a.get("alpha", 0.01)),
    "Selu": _unary(functional.selu), "Gelu": _gelu, "HardSigmoid": _hard_sigmoid, "PRelu": _prelu, "Clip": _clip,
    "Add": _binary(torch.add), "Sub": _binary(torch.sub), "Mul": _binary(torch.mul), "Div": _div,
    "Pow": lambda x, a: torch.pow(x[0], x[1]).to(x[0].dtype), "Mod": _mod, "And": _binary(torch.logical_and),
    "Or": _binary(torch.logical_or), "Xor": _binary(torch.logical_xor), "Equal": _binary(torch.eq),
    "Less": _binary(torch.lt), "LessOrEqual": _binary(torch.le), "Greater": _binary(torch.gt),
    "GreaterOrEqual": _binary(torch.ge), "Max": _many(torch.maximum), "Min": _many(torch.minimum),
    "Sum": _many(torch.add), "Mean": lambda x, a: reduce(torch.add, x) / len(x),
    "Where": lambda x, a: torch.where(x[0], x[1], x[2]), "Cast": _cast,
    "CastLike": lambda x, a: x[0].to(x[1].dtype), "StringConcat": _string_concat, "LabelEncoder": _label_encoder,
}  # fmt: skip
