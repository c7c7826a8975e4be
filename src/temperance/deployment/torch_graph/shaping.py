"""Operators that move, pick and sum values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from temperance.deployment.torch_graph.pointwise import Attributes, Operator
from temperance.records.errors import BundleError


def _whole(values: Any) -> list[int]:
    return [int(v) for v in (values.tolist() if isinstance(values, Tensor) else values)]


def _axes(x: Sequence[Any], a: Attributes, place: int = 1) -> list[int] | None:
    """Return the axes of a node: an input since opset 13, an attribute before."""
    if len(x) > place and x[place] is not None:
        return _whole(x[place].reshape(-1))
    return _whole(a["axes"]) if "axes" in a else None


def _reshape(x: Sequence[Any], a: Attributes) -> Any:
    wanted = _whole(x[1])
    if not a.get("allowzero"):
        wanted = [x[0].shape[i] if size == 0 else size for i, size in enumerate(wanted)]
    return x[0].reshape(wanted)


def _transpose(x: Sequence[Any], a: Attributes) -> Tensor:
    order = a.get("perm", list(range(x[0].dim()))[::-1])
    moved: Tensor = x[0].permute(*order)
    return moved


def _unsqueeze(x: Sequence[Any], a: Attributes) -> Any:
    axes, out = _axes(x, a) or [], x[0]
    rank = len(out.shape) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        out = out[(slice(None),) * axis + (None,)]
    return out


def _squeeze(x: Sequence[Any], a: Attributes) -> Tensor:
    axes, out = _axes(x, a), x[0]
    chosen = [i for i, size in enumerate(out.shape) if size == 1] if axes is None else [i % out.dim() for i in axes]
    for axis in sorted(chosen, reverse=True):
        out = out.squeeze(axis)
    return out  # type: ignore[no-any-return]


def _slice(x: Sequence[Any], a: Attributes) -> Tensor:
    starts, ends = _whole(x[1]), _whole(x[2])
    axes = _whole(x[3]) if len(x) > 3 and x[3] is not None else list(range(len(starts)))
    steps = _whole(x[4]) if len(x) > 4 and x[4] is not None else [1] * len(starts)
    out: Tensor = x[0]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places = torch.arange(out.shape[axis])
        chosen = torch.as_tensor(
            list(range(*slice(start, end if abs(end) < 2**31 else None, step).indices(len(places))))
        )
        out = out.index_select(axis, chosen.to(torch.int64))
    return out


def _split(x: Sequence[Any], a: Attributes) -> tuple[Tensor, ...]:
    axis = a.get("axis", 0)
    if len(x) > 1 and x[1] is not None:
        return torch.split(x[0], _whole(x[1]), dim=axis)
    return torch.chunk(x[0], a["num_outputs"], dim=axis)


def _expand(x: Sequence[Any], a: Attributes) -> Tensor:
    expanded: Tensor = x[0].expand(np.broadcast_shapes(tuple(x[0].shape), tuple(_whole(x[1]))))
    return expanded


def _shape(x: Sequence[Any], a: Attributes) -> Tensor:
    sizes = list(x[0].shape)[slice(a.get("start", 0), a.get("end"))]
    return torch.tensor(sizes, dtype=torch.int64)


def _gather(x: Sequence[Any], a: Attributes) -> Any:
    axis, index = a.get("axis", 0), x[1]
    axis %= len(x[0].shape)
    if not isinstance(x[0], Tensor):
        return x[0].take(index.numpy(), axis=axis)
    flat = torch.where(index < 0, index + x[0].shape[axis], index).reshape(-1)
    shape = (*x[0].shape[:axis], *index.shape, *x[0].shape[axis + 1 :])
    return x[0].index_select(axis, flat).reshape(shape)


def _gather_elements(x: Sequence[Any], a: Attributes) -> Tensor:
    axis = a.get("axis", 0)
    index = torch.where(x[1] < 0, x[1] + x[0].shape[axis], x[1])
    return torch.gather(x[0], axis, index)


def _gather_nd(x: Sequence[Any], a: Attributes) -> Tensor:
    if a.get("batch_dims"):
        raise BundleError("the graph gathers within a batch", "GatherND without batch_dims")
    return x[0][tuple(x[1].unbind(-1))]  # type: ignore[no-any-return]


def _pad(x: Sequence[Any], a: Attributes) -> Tensor:
    mode = a.get("mode", "constant")
    rank, pads = x[0].dim(), _whole(x[1])
    axes = _whole(x[3]) if len(x) > 3 and x[3] is not None else list(range(rank))
    sides = {axis % rank: (pads[i], pads[i + len(axes)]) for i, axis in enumerate(axes)}
    last = max((axis for axis, both in sides.items() if any(both)), default=None)
    if last is None:
        return x[0]  # type: ignore[no-any-return]
    first = min(axis for axis, both in sides.items() if any(both))
    flat = [side for axis in range(rank - 1, first - 1, -1) for side in sides.get(axis, (0, 0))]
    if mode == "constant":
        value = float(x[2]) if len(x) > 2 and x[2] is not None else 0.0
        return functional.pad(x[0], flat, value=value)
    return functional.pad(x[0], flat, mode={"reflect": "reflect", "edge": "replicate", "wrap": "circular"}[mode])


def _range(x: Sequence[Any], a: Attributes) -> Tensor:
    return torch.arange(x[0].item(), x[1].item(), x[2].item(), dtype=x[0].dtype)


def _constant_of_shape(x: Sequence[Any], a: Attributes) -> Tensor:
    value = a.get("value")
    filled: Tensor = torch.zeros(()) if value is None else torch.as_tensor(value).reshape(())
    return filled.expand(_whole(x[0])).clone()


def _flatten(x: Sequence[Any], a: Attributes) -> Tensor:
    axis = a.get("axis", 1)
    lead = 1
    for size in x[0].shape[:axis]:
        lead *= size
    return x[0].reshape(lead, -1)  # type: ignore[no-any-return]


def _cumsum(x: Sequence[Any], a: Attributes) -> Tensor:
    if a.get("exclusive") or a.get("reverse"):
        raise BundleError("the graph sums in another order", "CumSum without exclusive and reverse")
    return torch.cumsum(x[0], int(x[1]))


def _reduce(name: str) -> Operator:
    def apply(x: Sequence[Any], a: Attributes) -> Tensor:
        axes = _axes(x, a)
        if axes is None and a.get("noop_with_empty_axes"):
            return x[0]  # type: ignore[no-any-return]
        axes = list(range(x[0].dim())) if axes is None else axes
        keep = bool(a.get("keepdims", 1))
        function: Any = {
            "ReduceSum": torch.sum, "ReduceMean": torch.mean, "ReduceMax": torch.amax, "ReduceMin": torch.amin,
            "ReduceLogSumExp": torch.logsumexp, "ReduceL1": lambda v, d, keepdim: v.abs().sum(d, keepdim),
            "ReduceL2": lambda v, d, keepdim: v.pow(2).sum(d, keepdim).sqrt(),
            "ReduceSumSquare": lambda v, d, keepdim: v.pow(2).sum(d, keepdim),
        }[name]  # fmt: skip
        out: Tensor = function(x[0], axes, keepdim=keep)
        return out

    return apply


def _concat(x: Sequence[Any], a: Attributes) -> Tensor:
    return torch.cat(list(x), dim=a["axis"])


REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceLogSumExp", "ReduceL1", "ReduceL2",
              "ReduceSumSquare")  # fmt: skip
SHAPING: dict[str, Operator] = {
    "Reshape": _reshape, "Transpose": _transpose, "Unsqueeze": _unsqueeze, "Squeeze": _squeeze, "Slice": _slice,
    "Split": _split, "Expand": _expand, "Shape": _shape, "Gather": _gather, "GatherElements": _gather_elements,
    "GatherND": _gather_nd, "Pad": _pad, "Range": _range, "ConstantOfShape": _constant_of_shape, "Flatten": _flatten,
    "CumSum": _cumsum, "Concat": _concat, "Tile": lambda x, a: x[0].repeat(*_whole(x[1])),
    "ArgMax": lambda x, a: x[0].argmax(dim=a.get("axis", 0), keepdim=bool(a.get("keepdims", 1))),
    "Softmax": lambda x, a: torch.softmax(x[0], dim=a.get("axis", -1)),
    "LogSoftmax": lambda x, a: torch.log_softmax(x[0], dim=a.get("axis", -1)),
    **{name: _reduce(name) for name in REDUCTIONS},
}  # fmt: skip
