"""Read an ONNX file into plain values, without the ``onnx`` package."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.wire import fields, varint
from temperance.records.errors import BundleError

DTYPES = {1: "<f4", 2: "|u1", 3: "|i1", 6: "<i4", 7: "<i8", 9: "|b1", 10: "<f2", 11: "<f8", 12: "<u4", 13: "<u8"}
TEXT, BFLOAT16 = 8, 16


@dataclass(frozen=True, eq=False)
class Node:
    """One operation."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(eq=False)
class Graph:
    """A graph: nodes in order, constants by name, shapes of inputs and outputs by name (texts stand for any size)."""

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    inputs: dict[str, list[Any]] = field(default_factory=dict)
    outputs: dict[str, list[Any]] = field(default_factory=dict)


def read_graph(data: bytes) -> Graph:
    """Read a ``ModelProto``.

    Raises:
        BundleError: it is none, or holds numbers of a kind that is not read.

    """
    try:
        whole = dict(fields(memoryview(data)))[7]
        made = Graph()
        for number, value in fields(_bytes(whole)):
            if number == 1:
                made.nodes.append(_node(_bytes(value)))
            elif number == 5:
                name, array = tensor(_bytes(value))
                made.constants[name] = array
            elif number in (11, 12):
                name, shape = _info(_bytes(value))
                (made.inputs if number == 11 else made.outputs)[name] = shape
    except (IndexError, ValueError, KeyError, TypeError, struct.error) as error:
        raise BundleError("model.onnx cannot be read by NumPy alone", "a graph written by temperance") from error
    return made


def tensor(data: memoryview) -> tuple[str, NDArray[Any]]:
    """Read a ``TensorProto``: its name and its array; texts as objects, bfloat16 as float32.

    Shapes: as the tensor says.

    Raises:
        ValueError: its kind is not read, or its size does not fit.

    """
    dims: list[int] = []
    parts: dict[int, list[Any]] = {}
    for number, value in fields(data):
        if number == 1:
            dims += [value] if isinstance(value, int) else _varints(value)
        else:
            parts.setdefault(number, []).append(value)
    kind, name = parts[2][0], _text(parts.get(8, [b""])[0])
    if kind == TEXT:
        words = np.array([_text(value) for value in parts.get(6, [])], dtype=object)
        return name, words.reshape(dims)
    raw = b"".join(bytes(value) for value in parts.get(9, []))
    if kind == BFLOAT16:
        return name, (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(dims)
    if kind not in DTYPES:
        raise ValueError(f"numbers of kind {kind}")
    if raw or not math.prod(dims):
        return name, np.frombuffer(raw, DTYPES[kind]).reshape(dims)
    return name, _typed(kind, parts).astype(DTYPES[kind]).reshape(dims)


def _typed(kind: int, parts: dict[int, list[Any]]) -> NDArray[Any]:
    """Return numbers that are not stored raw."""
    if kind in (1, 11):
        joined = b"".join(bytes(value) for value in parts[4 if kind == 1 else 10])
        return np.frombuffer(joined, DTYPES[kind])
    numbers: list[int] = []
    for value in parts[7 if kind == 7 else 5]:
        numbers += [_signed(value)] if isinstance(value, int) else [_signed(n) for n in _varints(value)]
    return np.array(numbers, dtype=np.int64)


def _node(data: memoryview) -> Node:
    op, inputs, outputs, attributes = "", [], [], {}
    for number, value in fields(data):
        if number == 1:
            inputs.append(_text(value))
        elif number == 2:
            outputs.append(_text(value))
        elif number == 4:
            op = _text(value)
        elif number == 5:
            name, given = _attribute(_bytes(value))
            attributes[name] = given
    return Node(op, tuple(inputs), tuple(outputs), attributes)


def _attribute(data: memoryview) -> tuple[str, Any]:
    name, single, many = "", None, []
    for number, value in fields(data):
        if number == 1:
            name = _text(value)
        elif number == 2:
            single = struct.unpack("<f", _bytes(value))[0]
        elif number == 3:
            single = _signed(value)
        elif number == 4:
            single = _text(value)
        elif number == 5:
            single = tensor(_bytes(value))[1]
        elif number == 7:
            many += list(struct.unpack(f"<{len(_bytes(value)) // 4}f", _bytes(value)))
        elif number == 8:
            many += [_signed(value)] if isinstance(value, int) else [_signed(n) for n in _varints(value)]
        elif number == 9:
            many.append(_text(value))
    return name, many if single is None else single


def _info(data: memoryview) -> tuple[str, list[Any]]:
    """Return name and shape of a ``ValueInfoProto``."""
    own = dict(fields(data))
    kind = dict(fields(_bytes(dict(fields(_bytes(own[2])))[1])))
    shape: list[Any] = []
    for number, value in fields(_bytes(kind.get(2, memoryview(b"")))):
        if number == 1:
            size = dict(fields(_bytes(value)))
            shape.append(size[1] if 1 in size else _text(size.get(2, memoryview(b""))))
    return _text(own[1]), shape


def _varints(data: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        found.append(value)
    return found


def _signed(value: Any) -> int:
    return value - 2**64 if value >= 2**63 else int(value)


def _text(value: Any) -> str:
    return bytes(value).decode("utf-8")


def _bytes(value: Any) -> memoryview:
    if not isinstance(value, memoryview):
        raise ValueError("a number where bytes belong")
    return value
