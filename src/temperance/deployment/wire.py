"""Look into an ONNX file without the ``onnx`` package: which operator sets it needs, and whether it names other files.

Reads the protobuf wire format along the few fields that can hold tensors. A graph that would make ONNX Runtime open
another file, or load custom operators, is refused before ONNX Runtime sees it.
"""

from __future__ import annotations

from collections.abc import Iterator

from temperance.records.errors import BundleError

# message → {field number: message}; fields that are not named here are skipped
CHILDREN = {
    "model": {7: "graph", 8: "opset", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
}
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
EXTERNAL_DATA, DATA_LOCATION = 13, 14
DEEPEST = 50


def check_graph(data: bytes) -> None:
    """Refuse a graph that reaches outside its own file.

    Raises:
        BundleError: external data, foreign operators, or not an ONNX file at all.

    """
    try:
        found = _scan(memoryview(data), "model", 0)
    except (IndexError, ValueError, RecursionError) as error:
        raise BundleError(
            "model.onnx is not a readable ONNX file", "one written by temperance", "Export again"
        ) from error
    if "graph" not in found:
        raise BundleError("model.onnx holds no graph", "one written by temperance", "Export again")


def _scan(data: memoryview, message: str, depth: int) -> set[str]:
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    found = set()
    for number, value in fields(data):
        if message == "tensor" and (number == EXTERNAL_DATA or (number == DATA_LOCATION and value == 1)):
            raise BundleError(
                "model.onnx keeps weights in another file",
                "a bundle keeps all weights inside",
                "Do not load this bundle",
            )
        if message == "opset" and number == 1 and isinstance(value, memoryview):
            _check_domain(bytes(value).decode("utf-8"))
        child = CHILDREN.get(message, {}).get(number)
        if child and isinstance(value, memoryview):
            found.add(child)
            _scan(value, child, depth + 1)
    return found


def _check_domain(domain: str) -> None:
    if domain not in DOMAINS:
        raise BundleError(
            f"model.onnx needs the operators of {domain!r}", "standard operators only", "Do not load this bundle"
        )


def fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield (field number, bytes or integer) of one message; numbers of fixed width come as their 4 or 8 bytes.

    Raises:
        ValueError: it is cut short, or no message.
        IndexError: it ends within a number.

    """
    position = 0
    while position < len(data):
        key, position = varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, position = varint(data, position)
            yield number, value
        elif kind == 2:
            length, position = varint(data, position)
            if position + length > len(data):
                raise ValueError("cut short")
            yield number, data[position : position + length]
            position += length
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
            if position > len(data):
                raise ValueError("cut short")
            yield number, data[position - (8 if kind == 1 else 4) : position]
        else:
            raise ValueError(f"wire type {kind}")


def varint(data: memoryview, position: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place behind it.

    Raises:
        ValueError: it is too long.
        IndexError: it is cut short.

    """
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number that is too long")
