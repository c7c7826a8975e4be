"""The binary tensor extension of the Open Inference Protocol, and compressed bodies.

A request with the header ``Inference-Header-Content-Length: n`` holds n bytes of JSON, then the data of the inputs
whose ``parameters`` say ``binary_data_size``, one after the other: numbers little-endian, texts as 4 bytes of length
and UTF-8.
Specification: triton-inference-server/server, ``docs/protocol/extension_binary_data.md``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import RequestError

HEADER = b"inference-header-content-length"
DTYPES = {
    "FP64": "<f8", "FP32": "<f4", "FP16": "<f2", "INT64": "<i8", "INT32": "<i4", "INT16": "<i2", "INT8": "|i1",
    "UINT64": "<u8", "UINT32": "<u4", "UINT16": "<u2", "UINT8": "|u1", "BOOL": "|b1",
}  # fmt: skip
WINDOWS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 47}  # zlib's codes; 47 finds zlib's own header too


def unpacked(body: bytes, encoding: bytes, *, most: int) -> bytes:
    """Return a body without its compression.

    Raises:
        RequestError: 415, an encoding that is not known; 400, damaged data; 413, more than ``most`` bytes unpacked.

    """
    if encoding not in WINDOWS:
        known = encoding.decode("latin-1")[:40]
        raise RequestError(f"the body is encoded as {known!r}", "gzip, deflate or a plain body", status=415)
    reader = zlib.decompressobj(WINDOWS[encoding])
    try:
        data = reader.decompress(body, most + 1)
    except zlib.error as error:
        raise RequestError(f"the compressed body is damaged: {error}", "gzip or deflate as announced") from error
    if len(data) > most:
        raise RequestError(
            "the body is too large once it is unpacked", f"at most {most} bytes", "Send fewer rows", status=413
        )
    if not reader.eof or reader.unused_data:
        raise RequestError("the compressed body is cut short or goes on after its end", "one whole stream")
    return data


def parted(body: bytes, length: bytes) -> tuple[bytes, bytes]:
    """Return the JSON and the binary part of a body.

    Raises:
        RequestError: the length is no number within the body.

    """
    if not length.isdigit() or int(length) > len(body):
        raise RequestError(
            f"Inference-Header-Content-Length is {length.decode('latin-1')[:40]!r}", f"a number up to {len(body)}"
        )
    return body[: int(length)], body[int(length) :]


def fill(content: Any, data: bytes) -> None:
    """Put the binary data of a request into its inputs as ``data``, arrays or lists of texts.

    Raises:
        RequestError: sizes that do not fit.

    """
    entries = content.get("inputs") if isinstance(content, dict) else None
    at = 0
    for entry in entries if isinstance(entries, list) else []:
        parameters = entry.get("parameters") if isinstance(entry, dict) else None
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is None:
            continue
        if type(size) is not int or not 0 <= size <= len(data) - at:
            raise RequestError(f"binary_data_size is {size!r}"[:200], f"a number up to {len(data) - at}")
        entry["data"] = _values(entry, data[at : at + size])
        at += size
    if at != len(data):
        raise RequestError(f"{len(data) - at} bytes belong to no input", "binary_data_size of all inputs, in order")


def _values(entry: Mapping[str, Any], data: bytes) -> Any:
    kind = entry.get("datatype")
    if kind == "BYTES":
        return _texts(data)
    if kind not in DTYPES:
        raise RequestError(f"binary data of the datatype {kind!r}"[:200], f"BYTES, {', '.join(DTYPES)}")
    dtype = np.dtype(DTYPES[kind])
    if len(data) % dtype.itemsize:
        raise RequestError(f"{len(data)} bytes of {kind}", f"a multiple of {dtype.itemsize}")
    return np.frombuffer(data, dtype=dtype)


def _texts(data: bytes) -> list[str]:
    found, at = [], 0
    while at < len(data):
        if at + 4 > len(data):
            raise RequestError("a text's length is cut short", "4 bytes of length before each text")
        (size,) = struct.unpack_from("<I", data, at)
        at += 4 + size
        if at > len(data):
            raise RequestError("a text is cut short", "as many bytes as its length says")
        try:
            found.append(data[at - size : at].decode())
        except UnicodeDecodeError as error:
            raise RequestError("a text is no UTF-8", "UTF-8") from error
    return found


def wanted(content: Mapping[str, Any], name: str) -> bool:
    """Return whether the request asks for this output as binary data."""
    for entry in content.get("outputs") or []:
        if entry.get("name") == name:
            own = entry.get("parameters")
            if isinstance(own, dict) and "binary_data" in own:
                return bool(own["binary_data"])
    overall = content.get("parameters")
    return isinstance(overall, dict) and bool(overall.get("binary_data_output", False))


def packed(array: NDArray[Any]) -> bytes:
    """Return values as FP64, row by row, little-endian.

    Shapes: any; (b, c) gives 8·b·c bytes.
    """
    return np.ascontiguousarray(array, dtype="<f8").tobytes()


def packed_texts(texts: Sequence[str]) -> bytes:
    """Return texts as BYTES: four bytes of length, little-endian, before each in UTF-8."""
    return b"".join(struct.pack("<I", len(raw)) + raw for raw in (text.encode() for text in texts))
