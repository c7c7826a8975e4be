"""Rules for operations that move numbers, reduce axes or make constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from temperance.deployment.aten.emitter import Emitter, numpy_dtype, rule
from temperance.deployment.aten.tape import BatchSize, Unsupported, Value

END = 2**62


@rule("view", "_unsafe_view", "reshape", "flatten", "unflatten")
def _view(e: Emitter, x: Value, *_: Any) -> str:
    return e.reshape(x.name, e.out[0])


@rule("t")
def _t(e: Emitter, x: Value) -> str:
    return e.add("Transpose", x.name, perm=list(range(len(x.shape)))[::-1])


@rule("transpose")
def _transpose(e: Emitter, x: Value, first: int, second: int) -> str:
    perm = list(range(len(x.shape)))
    perm[first], perm[second] = perm[second], perm[first]
    return e.add("Transpose", x.name, perm=perm)


@rule("permute")
def _permute(e: Emitter, x: Value, dims: list[int]) -> str:
    return e.add("Transpose", x.name, perm=[d % len(x.shape) for d in dims])


@rule("unsqueeze")
def _unsqueeze(e: Emitter, x: Value, dim: int) -> str:
    return e.add("Unsqueeze", x.name, e.integers([dim]))


@rule("squeeze")
def _squeeze(e: Emitter, x: Value, *_: Any) -> str:
    return e.reshape(x.name, e.out[0])


@rule("expand")
def _expand(e: Emitter, x: Value, sizes: list[Any], **_: Any) -> str:
    return e.add("Expand", x.name, e.shape(e.out[0]))


@rule("repeat")
def _repeat(e: Emitter, x: Value, times: list[Any]) -> str:
    missing = len(times) - len(x.shape)
    name = e.reshape(x.name, [*(1 for _ in range(missing)), *x.shape]) if missing else x.name
    return e.add("Tile", name, e.shape(times))


@rule("cat")
def _cat(e: Emitter, parts: list[Value], dim: int = 0) -> str:
    kept = [e.operand(part, e.out[1]) for part in parts if part.shape != (0,)]
    return e.add("Concat", *kept, axis=dim)


@rule("stack")
def _stack(e: Emitter, parts: list[Value], dim: int = 0) -> str:
    axis = e.integers([dim])
    return e.add("Concat", *(e.add("Unsqueeze", part.name, axis) for part in parts), axis=dim)


@rule("select")
def _select(e: Emitter, x: Value, dim: int, index: int) -> str:
    return e.add("Gather", x.name, e.sketch.constant(index, np.int64), axis=dim)


@rule("slice")
def _slice(e: Emitter, x: Value, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> str:
    first = e.size(0 if start is None else start)
    last = e.size(END if end is None else end)
    return e.add("Slice", x.name, first, last, e.integers([dim]), e.integers([step]))


@rule("split", "split_with_sizes", "chunk", "unsafe_split")
def _split(e: Emitter, x: Value, sizes: Any, dim: int = 0) -> list[str]:
    parts = [shape[dim] for shape, _ in e.out]
    return e.sketch.add_many("Split", x.name, e.shape(parts), outputs=len(parts), axis=dim)


@rule("unbind")
def _unbind(e: Emitter, x: Value, dim: int = 0) -> list[str]:
    if isinstance(x.shape[dim], BatchSize):
        raise Unsupported("unbind over rows")
    return [e.add("Gather", x.name, e.sketch.constant(i, np.int64), axis=dim) for i in range(x.shape[dim])]


@rule("index_select")
def _index_select(e: Emitter, x: Value, dim: int, index: Value) -> str:
    return e.add("Gather", x.name, index.name, axis=dim)


@rule("gather")
def _gather(e: Emitter, x: Value, dim: int, index: Value, **_: Any) -> str:
    return e.add("GatherElements", x.name, index.name, axis=dim)


@rule("index")
def _index(e: Emitter, x: Value, indices: list[Value | None]) -> str:
    used = [(axis, index) for axis, index in enumerate(indices) if index is not None]
    if len(used) == 1 and used[0][1].dtype != torch.bool:
        return e.add("Gather", x.name, used[0][1].name, axis=used[0][0])
    if [axis for axis, _ in used] != list(range(len(used))) or any(index.dtype == torch.bool for _, index in used):
        raise Unsupported("indexing by masks or by several axes")
    count = max(len(index.shape) for _, index in used)
    sizes = e.shape(e.out[0][:count])
    wide = [e.add("Unsqueeze", e.add("Expand", index.name, sizes), e.integers([-1])) for _, index in used]
    return e.add("GatherND", x.name, e.add("Concat", *wide, axis=-1))


@rule("constant_pad_nd")
def _pad(e: Emitter, x: Value, pads: list[int], value: float = 0.0) -> str:
    axes = len(x.shape)
    before, after = [0] * axes, [0] * axes
    for i in range(len(pads) // 2):
        before[axes - 1 - i], after[axes - 1 - i] = pads[2 * i], pads[2 * i + 1]
    return e.add("Pad", x.name, e.integers([*before, *after]), e.number(value, x.dtype))


@rule("flip")
def _flip(e: Emitter, x: Value, dims: list[int]) -> str:
    count = len(dims)
    starts, ends = e.integers([-1] * count), e.integers([-END] * count)
    return e.add("Slice", x.name, starts, ends, e.integers(dims), e.integers([-1] * count))


def _reduce(op: str) -> Any:
    def draw(e: Emitter, x: Value, dims: Any = None, keepdim: bool = False, **_: Any) -> str:
        return _reduced(e, op, e.operand(x, e.out[1]), dims, keepdim)

    return draw


def _reduced(e: Emitter, op: str, name: str, dims: Any, keepdim: bool) -> str:
    axes = [] if dims is None else [dims] if isinstance(dims, int) else list(dims)
    inputs = [name, e.integers(axes)] if axes else [name]
    return e.add(op, *inputs, keepdims=int(keepdim))


for _name, _op in {
    "mean": "ReduceMean", "sum": "ReduceSum", "amax": "ReduceMax", "amin": "ReduceMin", "logsumexp": "ReduceLogSumExp"
}.items():  # fmt: skip
    rule(_name)(_reduce(_op))


@rule("prod")
def _prod(e: Emitter, x: Value, dim: int | None = None, keepdim: bool = False, **_: Any) -> str:
    return _reduced(e, "ReduceProd", e.operand(x, e.out[1]), dim, keepdim)


@rule("var")
def _var(e: Emitter, x: Value, dims: Any = None, correction: Any = 1, keepdim: bool = False) -> str:
    axes = list(range(len(x.shape))) if dims is None else [dims] if isinstance(dims, int) else list(dims)
    sizes = [x.shape[axis] for axis in axes]
    if any(isinstance(size, BatchSize) for size in sizes):
        raise Unsupported("a variance over rows")
    count = int(np.prod(sizes))
    centred = e.add("Sub", x.name, _reduced(e, "ReduceMean", x.name, axes, True))
    total = _reduced(e, "ReduceSum", e.add("Mul", centred, centred), axes, keepdim)
    return e.add("Div", total, e.number(count - (1 if correction is None else correction), x.dtype))


@rule("linalg_vector_norm")
def _norm(e: Emitter, x: Value, order: float = 2, dims: Any = None, keepdim: bool = False, **_: Any) -> str:
    if order not in (1, 2):
        raise Unsupported(f"a norm of order {order}")
    return _reduced(e, "ReduceL1" if order == 1 else "ReduceL2", x.name, dims, keepdim)


def _extreme(reduce: str, arg: str) -> Any:
    def draw(e: Emitter, x: Value, dim: int | None = None, keepdim: bool = False) -> str | list[str]:
        if dim is None:
            return _reduced(e, reduce, x.name, None, False)
        return [_reduced(e, reduce, x.name, dim, keepdim), e.add(arg, x.name, axis=dim, keepdims=int(keepdim))]

    return draw


rule("max")(_extreme("ReduceMax", "ArgMax"))
rule("min")(_extreme("ReduceMin", "ArgMin"))


@rule("cumsum")
def _cumsum(e: Emitter, x: Value, dim: int, **_: Any) -> str:
    return e.add("CumSum", e.operand(x, e.out[1]), e.sketch.constant(dim, np.int64))


@rule("topk")
def _topk(e: Emitter, x: Value, k: int, dim: int = -1, largest: bool = True, ordered: bool = True) -> list[str]:
    return e.sketch.add_many("TopK", x.name, e.integers([k]), outputs=2, axis=dim, largest=int(largest))


def _filled(value: float | None) -> Any:
    def draw(e: Emitter, _: Any, *rest: Any, **__: Any) -> str:
        number = e.number(rest[-1] if value is None else value, e.out[1])
        return e.add("Expand", number, e.shape(e.out[0])) if e.out[0] else e.add("Identity", number)

    return draw


for _name, _value in {
    "full": None, "full_like": None, "new_full": None, "zeros": 0.0, "zeros_like": 0.0, "new_zeros": 0.0, "ones": 1.0,
    "ones_like": 1.0, "new_ones": 1.0,
}.items():  # fmt: skip
    rule(_name)(_filled(_value))


@rule("scalar_tensor")
def _scalar(e: Emitter, value: Any, **_: Any) -> str:
    return e.add("Identity", e.operand(value, e.out[1]))


@rule("arange")
def _arange(e: Emitter, *bounds: Any, **_: Any) -> str:
    if any(isinstance(bound, BatchSize) for bound in bounds):
        start, end, step = ([0, *bounds, 1] if len(bounds) == 1 else [*bounds, 1])[:3]
        return e.add("Range", *(e.operand(bound, e.out[1]) for bound in (start, end, step)))
    return e.sketch.constant(np.arange(*bounds), numpy_dtype(e.out[1]))
