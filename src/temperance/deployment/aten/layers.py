"""Rules for layers: products, normalization, convolution, pooling, attention, look-up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from temperance.deployment.aten.emitter import Emitter, numpy_dtype, rule
from temperance.deployment.aten.tape import Unsupported, Value


@rule("mm", "bmm", "matmul", "mv", "dot")
def _product(e: Emitter, x: Value, y: Value) -> str:
    return e.add("MatMul", x.name, y.name)


@rule("addmm", "addmv")
def _addmm(e: Emitter, bias: Value, x: Value, y: Value, beta: float = 1, alpha: float = 1) -> str:
    if len(x.shape) == 2 and len(y.shape) == 2:
        return e.add("Gemm", x.name, y.name, bias.name, alpha=float(alpha), beta=float(beta))
    return _scaled_sum(e, bias, x, y, beta, alpha)


@rule("baddbmm")
def _scaled_sum(e: Emitter, bias: Value, x: Value, y: Value, beta: float = 1, alpha: float = 1) -> str:
    product, offset = e.add("MatMul", x.name, y.name), bias.name
    if alpha != 1:
        product = e.add("Mul", product, e.number(alpha, e.out[1]))
    if beta != 1:
        offset = e.add("Mul", offset, e.number(beta, e.out[1]))
    return e.add("Add", product, offset)


@rule("linear")
def _linear(e: Emitter, x: Value, weight: Value, bias: Value | None = None) -> str:
    product = e.add("MatMul", x.name, e.add("Transpose", weight.name, perm=[1, 0]))
    return product if bias is None else e.add("Add", product, bias.name)


@rule("native_layer_norm")
def _layer_norm(e: Emitter, x: Value, shape: list[int], weight: Value | None, bias: Value | None, eps: float) -> str:
    scale = weight.name if weight else e.sketch.constant(np.ones(shape), numpy_dtype(x.dtype))
    inputs = [x.name, scale, *([bias.name] if bias else [])]
    return e.add("LayerNormalization", *inputs, axis=-len(shape), epsilon=float(eps))


@rule("native_batch_norm", "_native_batch_norm_legit_no_training")
def _batch_norm(e: Emitter, x: Value, weight: Any, bias: Any, mean: Any, var: Any, *settings: Any) -> str:
    if mean is None or var is None or (len(settings) == 3 and settings[0]):
        raise Unsupported("batch normalization by the statistics of the batch")
    dtype = numpy_dtype(x.dtype)
    scale = weight.name if weight else e.sketch.constant(np.ones(mean.shape), dtype)
    shift = bias.name if bias else e.sketch.constant(np.zeros(mean.shape), dtype)
    return e.add("BatchNormalization", x.name, scale, shift, mean.name, var.name, epsilon=float(settings[-1]))


@rule("native_group_norm")
def _group_norm(
    e: Emitter, x: Value, weight: Any, bias: Any, n: Any, c: int, area: int, groups: int, eps: float
) -> str:
    length = c // groups * area
    folded = e.reshape(x.name, [n, groups, length])
    ones = e.sketch.constant(np.ones(length), numpy_dtype(x.dtype))
    normal = e.add("LayerNormalization", folded, ones, axis=-1, epsilon=float(eps))
    drawn, sizes = e.reshape(normal, x.shape), e.integers([1, c, *(1 for _ in x.shape[2:])])
    if weight:
        drawn = e.add("Mul", drawn, e.add("Reshape", weight.name, sizes))
    return e.add("Add", drawn, e.add("Reshape", bias.name, sizes)) if bias else drawn


@rule("convolution")
def _convolution(
    e: Emitter, x: Value, weight: Value, bias: Value | None, stride: list[int], padding: list[int],
    dilation: list[int], transposed: bool, output_padding: list[int], groups: int,
) -> str:  # fmt: skip
    inputs = [x.name, weight.name, *([bias.name] if bias else [])]
    axes = len(weight.shape) - 2
    common = {
        "strides": _each(stride, axes),
        "pads": _each(padding, axes) * 2,
        "dilations": _each(dilation, axes),
        "group": groups,
        "kernel_shape": [int(size) for size in weight.shape[2:]],
    }
    if transposed:
        return e.add("ConvTranspose", *inputs, output_padding=_each(output_padding, axes), **common)
    return e.add("Conv", *inputs, **common)


def _each(sizes: Any, axes: int) -> list[int]:
    values = [sizes] if isinstance(sizes, int) else list(sizes)
    return values * axes if len(values) == 1 else values


@rule("max_pool2d_with_indices", "max_pool2d")
def _max_pool(
    e: Emitter, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil: bool = False
) -> str:
    sizes = _each(kernel, 2)
    return e.add(
        "MaxPool", x.name, kernel_shape=sizes, strides=_each(stride, 2) or sizes, pads=_each(padding, 2) * 2,
        dilations=_each(dilation, 2), ceil_mode=int(ceil),
    )  # fmt: skip


@rule("avg_pool2d")
def _average_pool(
    e: Emitter, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, ceil: bool = False, count_pad: bool = True,
    divisor: int | None = None,
) -> str:  # fmt: skip
    if divisor is not None or ceil:
        raise Unsupported("average pooling with a divisor or rounded up")
    sizes = _each(kernel, 2)
    return e.add(
        "AveragePool", x.name, kernel_shape=sizes, strides=_each(stride, 2) or sizes, pads=_each(padding, 2) * 2,
        count_include_pad=int(count_pad),
    )  # fmt: skip


@rule("_adaptive_avg_pool2d", "adaptive_avg_pool2d")
def _adaptive_pool(e: Emitter, x: Value, sizes: list[int]) -> str:
    if list(sizes) == [1, 1]:
        return e.add("GlobalAveragePool", x.name)
    height, width = x.shape[2:]
    if height % sizes[0] or width % sizes[1]:
        raise Unsupported("adaptive pooling to a size that does not divide the image")
    kernel = [height // sizes[0], width // sizes[1]]
    return e.add("AveragePool", x.name, kernel_shape=kernel, strides=kernel)


@rule("embedding")
def _embedding(e: Emitter, weight: Value, index: Value, *_: Any) -> str:
    return e.add("Gather", weight.name, index.name, axis=0)


@rule("_softmax", "softmax")
def _softmax(e: Emitter, x: Value, dim: int, *_: Any) -> str:
    return e.add("Softmax", e.operand(x, e.out[1]), axis=dim)


@rule("_log_softmax", "log_softmax")
def _log_softmax(e: Emitter, x: Value, dim: int, *_: Any) -> str:
    return e.add("LogSoftmax", e.operand(x, e.out[1]), axis=dim)


@rule("_scaled_dot_product_flash_attention_for_cpu")
def _attention(
    e: Emitter, q: Value, k: Value, v: Value, dropout: float = 0.0, causal: bool = False,
    attn_mask: Value | None = None, scale: float | None = None,
) -> str:  # fmt: skip
    if causal or dropout:
        raise Unsupported("causal attention or attention with dropout")
    dtype = q.dtype
    factor = e.number(1 / math.sqrt(q.shape[-1]) if scale is None else scale, dtype)
    axes = list(range(len(k.shape)))
    turned = e.add("Transpose", k.name, perm=[*axes[:-2], axes[-1], axes[-2]])
    scores = e.add("Mul", e.add("MatMul", q.name, turned), factor)
    if attn_mask is not None:
        scores = e.add("Add", scores, e.operand(attn_mask, dtype))
    return e.add("MatMul", e.add("Softmax", scores, axis=-1), v.name)
