"""Operators with weights: products, convolutions, pooling, normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from temperance.deployment.torch_graph.pointwise import Attributes, Operator
from temperance.records.errors import BundleError


def _gemm(x: Sequence[Any], a: Attributes) -> Tensor:
    first = x[0].T if a.get("transA") else x[0]
    second = x[1].T if a.get("transB") else x[1]
    product: Tensor = a.get("alpha", 1.0) * (first @ second)
    return product if len(x) < 3 or x[2] is None else product + a.get("beta", 1.0) * x[2]


def _sides(a: Attributes, rank: int, sizes: Sequence[int], kernel: Sequence[int]) -> list[tuple[int, int]]:
    """Return the padding before and after each spatial axis."""
    auto = a.get("auto_pad", "NOTSET")
    if auto in ("NOTSET", "VALID"):
        pads = a.get("pads", [0] * 2 * rank) if auto == "NOTSET" else [0] * 2 * rank
        return [(pads[i], pads[i + rank]) for i in range(rank)]
    strides, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    found = []
    for size, width, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        reach = (width - 1) * dilation + 1
        total = max(0, (-(-size // stride) - 1) * stride + reach - size)
        small, large = total // 2, total - total // 2
        found.append((small, large) if auto == "SAME_UPPER" else (large, small))
    return found


def _padded(value: Tensor, sides: Sequence[tuple[int, int]], fill: float) -> Tensor:
    flat = [side for both in reversed(sides) for side in both]
    return functional.pad(value, flat, value=fill) if any(flat) else value


def _conv(x: Sequence[Any], a: Attributes) -> Tensor:
    rank = x[0].dim() - 2
    function = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[rank]
    padded = _padded(x[0], _sides(a, rank, x[0].shape[2:], x[1].shape[2:]), 0.0)
    bias = x[2] if len(x) > 2 else None
    strides, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    return function(padded, x[1], bias, stride=strides, dilation=dilations, groups=a.get("group", 1))


def _conv_transpose(x: Sequence[Any], a: Attributes) -> Tensor:
    rank = x[0].dim() - 2
    function = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}[rank]
    pads = a.get("pads", [0] * 2 * rank)
    if a.get("auto_pad", "NOTSET") != "NOTSET" or pads[:rank] != pads[rank:] or "output_shape" in a:
        raise BundleError("the graph pads a transposed convolution unevenly", "the same padding on both sides")
    return function(
        x[0], x[1], x[2] if len(x) > 2 else None, stride=a.get("strides", [1] * rank), padding=pads[:rank],
        output_padding=a.get("output_padding", [0] * rank), groups=a.get("group", 1),
        dilation=a.get("dilations", [1] * rank),
    )  # fmt: skip


def _pool(name: str) -> Operator:
    def apply(x: Sequence[Any], a: Attributes) -> Tensor:
        kernel = a["kernel_shape"]
        rank = len(kernel)
        if a.get("ceil_mode"):
            raise BundleError("the graph pools with rounded-up sizes", "ceil_mode 0")
        strides = a.get("strides", [1] * rank)
        sides = _sides(a, rank, x[0].shape[2:], kernel)
        if name == "MaxPool":
            function = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}[rank]
            padded = _padded(x[0], sides, float("-inf"))
            return function(padded, kernel, stride=strides, dilation=a.get("dilations", [1] * rank))
        mean = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}[rank]
        total = mean(_padded(x[0], sides, 0.0), kernel, stride=strides)
        if a.get("count_include_pad") or not any(any(both) for both in sides):
            return total
        share = mean(_padded(torch.ones_like(x[0][:1, :1]), sides, 0.0), kernel, stride=strides)
        return total / share

    return apply


def _batch_norm(x: Sequence[Any], a: Attributes) -> Tensor:
    return functional.batch_norm(x[0], x[3], x[4], x[1], x[2], training=False, eps=a.get("epsilon", 1e-5))


def _instance_norm(x: Sequence[Any], a: Attributes) -> Tensor:
    return functional.instance_norm(x[0], weight=x[1], bias=x[2], eps=a.get("epsilon", 1e-5))


def _layer_norm(x: Sequence[Any], a: Attributes) -> Tensor:
    axis = a.get("axis", -1) % x[0].dim()
    bias = x[2] if len(x) > 2 else None
    return functional.layer_norm(x[0], x[0].shape[axis:], x[1], bias, eps=a.get("epsilon", 1e-5))


def _scaler(x: Sequence[Any], a: Attributes) -> Tensor:
    offset, scale = (torch.tensor(a[name], dtype=torch.float32) for name in ("offset", "scale"))
    return (x[0].to(torch.float32) - offset) * scale  # type: ignore[no-any-return]


LAYERS: dict[str, Operator] = {
    "MatMul": lambda x, a: x[0] @ x[1],
    "Gemm": _gemm,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _pool("MaxPool"),
    "AveragePool": _pool("AveragePool"),
    "GlobalAveragePool": lambda x, a: x[0].mean(dim=tuple(range(2, x[0].dim())), keepdim=True),
    "GlobalMaxPool": lambda x, a: x[0].amax(dim=tuple(range(2, x[0].dim())), keepdim=True),
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": lambda x, a: functional.instance_norm(
        x[0], weight=x[1], bias=x[2], eps=a.get("epsilon", 1e-5)
    ),
    "LayerNormalization": _layer_norm,
    "Einsum": lambda x, a: torch.einsum(a["equation"], *x),
    "Scaler": _scaler,
}
