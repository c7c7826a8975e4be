"""Rules for operations that act on each number alone."""

from __future__ import annotations

from typing import Any

import torch

from temperance.deployment.aten.emitter import Emitter, rule
from temperance.deployment.aten.tape import Unsupported, Value

UNARY = {
    "relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "exp": "Exp", "log": "Log", "neg": "Neg", "abs": "Abs",
    "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos", "tan": "Tan", "erf": "Erf", "floor": "Floor", "ceil": "Ceil",
    "round": "Round", "reciprocal": "Reciprocal", "sign": "Sign", "isnan": "IsNaN", "isinf": "IsInf", "atan": "Atan",
    "hardswish": "HardSwish", "mish": "Mish", "clone": "Identity", "detach": "Identity", "alias": "Identity",
    "lift_fresh_copy": "Identity", "lift_fresh": "Identity", "contiguous": "Identity", "sinh": "Sinh", "cosh": "Cosh",
}  # fmt: skip
BINARY = {"mul": "Mul", "div": "Div", "maximum": "Max", "minimum": "Min"}
COMPARE = {"eq": "Equal", "gt": "Greater", "lt": "Less", "ge": "GreaterOrEqual", "le": "LessOrEqual"}
LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "bitwise_and": "And", "bitwise_or": "Or"}


def _common(x: Any, y: Any) -> torch.dtype:
    samples = [torch.empty((1,) * len(v.shape), dtype=v.dtype) if isinstance(v, Value) else v for v in (x, y)]
    return torch.result_type(*samples)


def _unary(op: str) -> Any:
    def draw(e: Emitter, x: Value, **_: Any) -> str:
        keeps = op in ("Identity", "IsNaN", "IsInf", "Neg", "Abs", "Sign")
        return e.add(op, x.name if keeps else e.operand(x, e.out[1]))

    return draw


def _binary(op: str) -> Any:
    def draw(e: Emitter, x: Any, y: Any, **settings: Any) -> str:
        if settings.get("rounding_mode") is not None:
            raise Unsupported("division with rounding")
        return e.add(op, e.operand(x, e.out[1]), e.operand(y, e.out[1]))

    return draw


def _compare(op: str) -> Any:
    def draw(e: Emitter, x: Any, y: Any) -> str:
        dtype = _common(x, y)
        return e.add(op, e.operand(x, dtype), e.operand(y, dtype))

    return draw


def _logic(op: str) -> Any:
    def draw(e: Emitter, x: Any, y: Any) -> str:
        if e.out[1] != torch.bool:
            raise Unsupported("bit operations on integers")
        return e.add(op, e.operand(x, torch.bool), e.operand(y, torch.bool))

    return draw


for _name, _op in UNARY.items():
    rule(_name)(_unary(_op))
for _name, _op in BINARY.items():
    rule(_name)(_binary(_op))
for _name, _op in COMPARE.items():
    rule(_name)(_compare(_op))
for _name, _op in LOGIC.items():
    rule(_name)(_logic(_op))


@rule("add")
def _add(e: Emitter, x: Any, y: Any, alpha: Any = 1) -> str:
    return _sum(e, "Add", x, y, alpha)


@rule("sub")
def _sub(e: Emitter, x: Any, y: Any, alpha: Any = 1) -> str:
    return _sum(e, "Sub", x, y, alpha)


@rule("rsub")
def _rsub(e: Emitter, x: Any, y: Any, alpha: Any = 1) -> str:
    return _sum(e, "Sub", y, x, 1) if alpha == 1 else _unsupported("rsub with alpha")


def _sum(e: Emitter, op: str, x: Any, y: Any, alpha: Any) -> str:
    right = e.operand(y, e.out[1])
    if alpha != 1:
        right = e.add("Mul", right, e.number(alpha, e.out[1]))
    return e.add(op, e.operand(x, e.out[1]), right)


def _unsupported(what: str) -> str:
    raise Unsupported(what)


@rule("ne")
def _not_equal(e: Emitter, x: Any, y: Any) -> str:
    dtype = _common(x, y)
    return e.add("Not", e.add("Equal", e.operand(x, dtype), e.operand(y, dtype)))


@rule("logical_not", "bitwise_not")
def _not(e: Emitter, x: Value) -> str:
    return e.add("Not", e.operand(x, torch.bool)) if e.out[1] == torch.bool else _unsupported("bitwise_not")


@rule("pow")
def _power(e: Emitter, x: Any, y: Any) -> str:
    base = e.operand(x, e.out[1])
    return e.add("Mul", base, base) if y == 2 else e.add("Pow", base, e.operand(y, e.out[1]))


@rule("rsqrt")
def _rsqrt(e: Emitter, x: Value) -> str:
    return e.add("Reciprocal", e.add("Sqrt", e.operand(x, e.out[1])))


@rule("log1p")
def _log1p(e: Emitter, x: Value) -> str:
    return e.add("Log", e.add("Add", e.operand(x, e.out[1]), e.number(1, e.out[1])))


@rule("expm1")
def _expm1(e: Emitter, x: Value) -> str:
    return e.add("Sub", e.add("Exp", e.operand(x, e.out[1])), e.number(1, e.out[1]))


@rule("square")
def _square(e: Emitter, x: Value) -> str:
    return e.add("Mul", x.name, x.name)


@rule("silu")
def _silu(e: Emitter, x: Value) -> str:
    return e.add("Mul", x.name, e.add("Sigmoid", x.name))


@rule("gelu")
def _gelu(e: Emitter, x: Value, approximate: str = "none") -> str:
    return e.add("Gelu", x.name, approximate=approximate)


@rule("leaky_relu")
def _leaky(e: Emitter, x: Value, slope: float = 0.01) -> str:
    return e.add("LeakyRelu", x.name, alpha=float(slope))


@rule("_prelu_kernel", "prelu")
def _prelu(e: Emitter, x: Value, slope: Value) -> str:
    return e.add("PRelu", x.name, slope.name)


@rule("elu")
def _elu(e: Emitter, x: Value, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> str:
    if input_scale != 1:
        raise Unsupported("elu with input_scale")
    drawn = e.add("Elu", x.name, alpha=float(alpha))
    return drawn if scale == 1 else e.add("Mul", drawn, e.number(scale, e.out[1]))


@rule("softplus")
def _softplus(e: Emitter, x: Value, beta: float = 1.0, threshold: float = 20.0) -> str:
    if beta == 1:
        return e.add("Softplus", x.name)
    factor = e.number(beta, e.out[1])
    return e.add("Div", e.add("Softplus", e.add("Mul", x.name, factor)), factor)


@rule("log_sigmoid_forward")
def _log_sigmoid(e: Emitter, x: Value) -> str:
    return e.add("Neg", e.add("Softplus", e.add("Neg", x.name)))


@rule("hardsigmoid")
def _hard_sigmoid(e: Emitter, x: Value) -> str:
    return e.add("HardSigmoid", x.name, alpha=1 / 6, beta=0.5)


@rule("hardtanh", "clamp")
def _clamp(e: Emitter, x: Value, low: Any = None, high: Any = None, **named: Any) -> str:
    low, high = named.get("min_val", named.get("min", low)), named.get("max_val", named.get("max", high))
    drawn = e.operand(x, e.out[1])
    if low is not None:
        drawn = e.add("Max", drawn, e.operand(low, e.out[1]))
    return drawn if high is None else e.add("Min", drawn, e.operand(high, e.out[1]))


@rule("clamp_min")
def _clamp_min(e: Emitter, x: Value, low: Any) -> str:
    return _clamp(e, x, low)


@rule("clamp_max")
def _clamp_max(e: Emitter, x: Value, high: Any) -> str:
    return _clamp(e, x, None, high)


@rule("where")
def _where(e: Emitter, condition: Value, x: Any, y: Any) -> str:
    return e.add("Where", e.operand(condition, torch.bool), e.operand(x, e.out[1]), e.operand(y, e.out[1]))


@rule("masked_fill")
def _masked_fill(e: Emitter, x: Value, mask: Value, value: Any) -> str:
    return e.add("Where", mask.name, e.operand(value, e.out[1]), x.name)


@rule("nan_to_num")
def _nan_to_num(e: Emitter, x: Value, nan: float | None = None, posinf: Any = None, neginf: Any = None) -> str:
    info = torch.finfo(x.dtype)
    bounds = (info.min if neginf is None else neginf, info.max if posinf is None else posinf)
    filled = e.add("Where", e.add("IsNaN", x.name), e.number(nan or 0.0, x.dtype), x.name)
    return e.add("Min", e.add("Max", filled, e.number(bounds[0], x.dtype)), e.number(bounds[1], x.dtype))


@rule("_to_copy", "to")
def _to(e: Emitter, x: Value, *_: Any, **__: Any) -> str:
    return e.add("Identity", e.operand(x, e.out[1]))
