"""Open Inference Protocol v2: metadata, readiness and ``infer``, as JSON or with binary tensors.

Specification: kserve/open-inference-protocol, ``specification/protocol/inference_rest.md``. Missing numbers are null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve import binary
from temperance.deployment.serve.intake import Intake, numbers
from temperance.deployment.serve.replies import Replies
from temperance.records.errors import RequestError
from temperance.records.schema import Rows
from temperance.records.version import __version__

REALS = ("FP64", "FP32", "FP16", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8", "BOOL")
EXTENSIONS = ["binary_tensor_data", "statistics", "model_repository"]
ANSWERED = "prediction"  # the class under the costs of a bundle
Predict = Callable[[Rows], NDArray[Any]]


class Protocol:
    """Answers protocol requests for one bundle."""

    def __init__(self, bundle: Bundle, intake: Intake, replies: Replies) -> None:
        self.bundle, self._intake, self._replies = bundle, intake, replies
        self._inputs = {entry["name"]: entry for entry in bundle.card["inputs"]}
        outputs = list(bundle.card["outputs"])
        if bundle.has_interval:
            outputs += [{"name": side, "datatype": "FP64", "shape": [-1]} for side in ("low", "high")]
        if bundle.decision is not None:
            outputs += [{"name": ANSWERED, "datatype": "BYTES", "shape": [-1]}]
        if bundle.classes:
            outputs[0] = {**outputs[0], "classes": list(bundle.classes)}
        self._outputs = {entry["name"]: _public(entry) for entry in outputs}

    def server(self) -> dict[str, Any]:
        """Return the server's metadata."""
        return {"name": "temperance", "version": __version__, "extensions": EXTENSIONS}

    def model(self) -> dict[str, Any]:
        """Return the model's metadata."""
        return {
            "name": self.bundle.name,
            "versions": [self.bundle.version],
            "platform": "onnx_onnxv1",
            "inputs": [_public(entry) for entry in self._inputs.values()],
            "outputs": list(self._outputs.values()),
        }

    def check_model(self, name: str, version: str | None) -> None:
        """Refuse another model or version.

        Raises:
            RequestError: status 404.

        """
        if name != self.bundle.name:
            raise RequestError(f"there is no model {name!r}", f"this server has {self.bundle.name!r}", status=404)
        if version is not None and version != self.bundle.version:
            raise RequestError(
                f"there is no version {version!r} of {name!r}", f"this server has {self.bundle.version!r}", status=404
            )

    def rows(self, body: Any) -> Rows:
        """Read the input tensors of an ``infer`` request.

        Raises:
            RequestError: anything that does not fit, named.

        """
        if not isinstance(body, dict) or not isinstance(body.get("inputs"), list):
            raise RequestError("the request has no list 'inputs'", "tensors with name, shape, datatype and data")
        self.wanted(body)
        if self._is_by_column(body["inputs"]):
            return self._intake.rows(self._records(body["inputs"]))
        found: dict[str, NDArray[Any]] = {}
        for entry in body["inputs"]:
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str) or name not in self._inputs:
                raise RequestError(f"there is no input {name!r}", f"inputs are {', '.join(self._inputs)}")
            if name in found:
                raise RequestError(f"the input {name!r} comes twice", "each input once")
            found[name] = self._tensor(name, entry)
        absent = [name for name in self._inputs if name not in found]
        if absent:
            raise RequestError(f"the input {absent[0]!r} is missing", f"inputs are {', '.join(self._inputs)}")
        if len({len(array) for array in found.values()}) > 1:
            raise RequestError("the inputs have different counts of rows", "the same first size in each shape")
        return self._intake.tensors(found)

    def _is_by_column(self, entries: list[Any]) -> bool:
        """Return whether each tensor is a column of the file."""
        names = {entry["name"] for entry in entries if _named(entry)}
        known = {column.source or column.name for column in self.bundle.schema.columns}
        return bool(names) and len(names) == len(entries) and names <= known and not names & set(self._inputs)

    def _records(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Turn one tensor per column, (b,) or (b, 1), into rows, read as those of ``/predict``."""
        columns: dict[str, list[Any]] = {}
        for entry in entries:
            name, datatype, values = entry["name"], entry.get("datatype"), _flat(entry.get("data"), entry["name"])
            shape = entry.get("shape")
            if datatype not in (*REALS, "BYTES") or shape not in ([len(values)], [len(values), 1]) or not len(values):
                raise RequestError(
                    f"the column {name!r} has the datatype {datatype!r} and the shape {shape!r}"[:200],
                    f"a datatype of the protocol, and [{len(values)}] or [{len(values)}, 1] for its values",
                )
            columns[name] = values.tolist() if isinstance(values, np.ndarray) else values
        if len({len(values) for values in columns.values()}) > 1:
            raise RequestError("the columns have different counts of rows", "the same first size in each shape")
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def wanted(self, body: Mapping[str, Any]) -> list[str]:
        """Return the names of the outputs that the request asks for; all when it names none.

        Raises:
            RequestError: an unknown output, or an ``id`` that is no text.

        """
        if not isinstance(body.get("id", ""), str):
            raise RequestError("'id' is no text", "a text, or leave it out")
        asked = body.get("outputs")
        if asked is None or asked == []:
            return list(self._outputs)
        if not isinstance(asked, list) or not all(isinstance(entry, dict) for entry in asked):
            raise RequestError("'outputs' is not a list of objects", "objects with a name, or leave it out")
        names = [entry.get("name") for entry in asked]
        for name in names:
            if not isinstance(name, str) or name not in self._outputs:
                raise RequestError(f"there is no output {name!r}", f"outputs are {', '.join(self._outputs)}")
        return [str(name) for name in names]

    def reply(self, body: Mapping[str, Any], predictions: NDArray[Any]) -> tuple[dict[str, Any], bytes]:
        """Return the response of ``infer``, data flat, row by row, and the data that were asked for as binary.

        Shapes: predictions (b, c) or (b,).
        """
        arrays = {self.bundle.output: predictions, **self._replies.bounds(predictions)}
        outputs, data = [], []
        for name in self.wanted(body):
            is_text = name == ANSWERED
            values: Any = self._replies.answered(predictions) if is_text else arrays[name].astype(np.float64)
            shape = [len(predictions)] if is_text else list(arrays[name].shape)
            entry: dict[str, Any] = {"name": name, "datatype": "BYTES" if is_text else "FP64", "shape": shape}
            if binary.wanted(body, name):
                data.append(binary.packed_texts(values) if is_text else binary.packed(values))
                entry["parameters"] = {"binary_data_size": len(data[-1])}
            else:
                entry["data"] = values if is_text else values.ravel().tolist()
            outputs.append(entry)
        reply = {"model_name": self.bundle.name, "model_version": self.bundle.version, "outputs": outputs}
        return ({"id": body["id"], **reply} if "id" in body else reply), b"".join(data)

    def _tensor(self, name: str, entry: Mapping[str, Any]) -> NDArray[Any]:
        expected = self._inputs[name]
        kinds = ("BYTES",) if expected["datatype"] == "BYTES" else REALS
        if entry.get("datatype") not in kinds:
            raise RequestError(
                f"the input {name!r} has the datatype {entry.get('datatype')!r}", f"it is {expected['datatype']}"
            )
        shape = _shape(name, entry.get("shape"), expected["shape"])
        values = _flat(entry.get("data"), name)
        if len(values) != math.prod(shape):
            raise RequestError(
                f"the input {name!r} has {len(values)} values", f"its shape {shape} needs {math.prod(shape)}"[:200]
            )
        if expected["datatype"] == "BYTES":
            return _texts(values, name).reshape(shape)
        columns = self.bundle.schema.numeric if name == "numeric" else ()
        if isinstance(values, np.ndarray):
            array = values.astype(np.float64)
        else:
            array = numbers(values, f"the input {name!r}", columns)
        if expected["datatype"] == "UINT8" and not ((array >= 0) & (array <= 255)).all():
            raise RequestError(f"the input {name!r} holds values outside 0–255", "pixels, whole numbers from 0 to 255")
        _check_whole(name, entry["datatype"], array)
        return array.reshape(shape)


def _named(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)


def _public(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tensor's metadata; what its columns are is told beside what the specification asks for."""
    told = {key: list(entry[key]) for key in ("columns", "classes") if entry.get(key)}
    plain = {key: entry[key] for key in ("name", "datatype", "shape")}
    return {**plain, "parameters": told} if told else plain


def _check_whole(name: str, datatype: str, array: NDArray[np.float64]) -> None:
    """Refuse numbers that the datatype cannot hold; a missing one may stand in any."""
    if datatype.startswith("FP"):
        return
    known = array[~np.isnan(array)]
    bits = 1 if datatype == "BOOL" else int(datatype.lstrip("UINT"))
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1)) if datatype.startswith("INT") else (0.0, 2.0**bits)
    wrong = known[(known != np.floor(known)) | (known < low) | (known >= high)]
    if len(wrong):
        raise RequestError(
            f"the input {name!r} holds {wrong[0]:g}, which no {datatype} is", "whole numbers in its range, or FP64"
        )


def _shape(name: str, given: Any, expected: list[int]) -> tuple[int, ...]:
    valid = isinstance(given, list) and len(given) == len(expected) and all(type(size) is int for size in given)
    if (
        not valid
        or given[0] < 1
        or any(a != b if b >= 0 else a < 1 for a, b in zip(given[1:], expected[1:], strict=True))
    ):
        raise RequestError(
            f"the input {name!r} has the shape {given!r}"[:200], f"it is {expected}, -1 = any count from 1"
        )
    return tuple(given)


def _flat(data: Any, name: str) -> list[Any] | NDArray[Any]:
    if isinstance(data, np.ndarray):
        return data
    if not isinstance(data, list):
        raise RequestError(f"the input {name!r} has no list 'data'", "values row by row, flat or nested")
    values: list[Any] = data
    while values and isinstance(values[0], list):
        if not all(isinstance(part, list) for part in values):
            raise RequestError(f"the data of {name!r} are nested unevenly", "values row by row, flat or nested")
        values = [value for part in values for value in part]
    return values


def _texts(values: list[Any] | NDArray[Any], name: str) -> NDArray[Any]:
    if not {type(value) for value in values} <= {str, type(None)}:
        raise RequestError(f"the input {name!r} holds a value that is no text", "texts, or null for missing")
    texts = np.empty(len(values), dtype=object)
    texts[:] = ["" if value is None else value for value in values]
    return texts
