"""A server of this machine as a ``Subject``, asked by the Open Inference Protocol."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.opening.answers import order_of
from temperance.evaluation.aspects.base import Subject
from temperance.records.errors import DataError, RequestError
from temperance.records.schema import Rows, Schema

CHUNK = 1000
SECONDS = 60.0
LARGEST = 256 * 2**20
_PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # rows of this machine pass no proxy


@dataclass(frozen=True, eq=False)
class ServerPredictor:
    """A served model as a ``Predictor``.

    Attributes:
        schema: columns and target of the data.
        address: of the server.
        name: of the model.
        inputs: what the model takes: tensor by tensor its columns.
        output: name of the output.
        order: place of each class of the data among the server's, or None for values.

    """

    schema: Schema
    address: str
    name: str
    inputs: dict[str, list[str]]
    output: str
    order: NDArray[np.int64] | None

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,)."""
        parts = [self._some(rows.take(slice(i, i + CHUNK))) for i in range(0, max(rows.size, 1), CHUNK)]
        return np.concatenate(parts)

    def _some(self, rows: Rows) -> NDArray[Any]:
        body = {"inputs": [self._tensor(name, rows) for name in self.inputs], "outputs": [{"name": self.output}]}
        reply = ask(f"{self.address}/v2/models/{quote(self.name, safe='')}/infer", body)
        try:
            found = next(one for one in reply["outputs"] if one["name"] == self.output)
            raw = np.array(found["data"], dtype=np.float64).reshape(found["shape"])
        except (KeyError, TypeError, ValueError, StopIteration) as fault:
            raise RequestError(
                f"an answer without {self.output!r}: {fault!r}", "the Open Inference Protocol"
            ) from fault
        return raw.reshape(-1) if self.order is None else raw[:, self.order]

    def _tensor(self, name: str, rows: Rows) -> dict[str, Any]:
        if name == "image":
            if rows.images is None:
                raise DataError("rows without images", "a server of an image model takes images", "Check the data")
            return {"name": name, "datatype": "UINT8", "shape": list(rows.images.shape),
                    "data": rows.images.reshape(-1).tolist()}  # fmt: skip
        columns = {c.name: j for j, c in enumerate(getattr(self.schema, name))}
        picked = [columns[column] for column in self.inputs[name]]
        if name == "numeric":
            values = np.asarray(rows.numeric[:, picked], dtype=np.float64)
            data: list[Any] = [None if np.isnan(v) else v for v in values.reshape(-1).tolist()]
            return {"name": name, "datatype": "FP64", "shape": list(values.shape), "data": data}
        words = self.schema.decode(rows.categorical)[:, picked] if name == "categorical" else _texts(rows, picked)
        return {"name": name, "datatype": "BYTES", "shape": list(words.shape), "data": words.reshape(-1).tolist()}


def open_server(address: str, schema: Schema) -> Subject:
    """Ask a server what it serves.

    Raises:
        RequestError: nobody answers, or not by the protocol.
        DataError: the data lack a column that the model takes, or have other classes.

    """
    name = str(ask(f"{address}/").get("model", ""))
    card = ask(f"{address}/v2/models/{quote(name, safe='')}")
    try:
        inputs = {str(one["name"]): _told(one, "columns") or [] for one in card["inputs"]}
        first = card["outputs"][0]
        output, version = str(first["name"]), str(card["versions"][0])
        classes = _told(first, "classes")
    except (KeyError, TypeError, IndexError, AttributeError) as fault:
        raise RequestError(
            f"model metadata that are not complete: {fault!r}", "a server of `temperance serve`"
        ) from fault
    for kind, columns in inputs.items():
        known = {c.name for c in getattr(schema, kind, ())}
        absent = [column for column in columns if column not in known]
        if absent:
            raise DataError(
                f"the server takes the {kind} column {absent[0]!r}",
                f"the data have {', '.join(sorted(known)) or f'no {kind} columns'}",
                f"Say how it is read: --column '{absent[0]}={'number' if kind == 'numeric' else 'category'}'",
            )
    if (classes is None) != (schema.target.task == "regression"):
        raise DataError(
            f"a server for {'values' if classes is None else 'classes'}", f"data for {schema.target.task}",
            "Check --target",
        )  # fmt: skip
    predictor = ServerPredictor(
        schema, address, name, inputs, output, None if classes is None else order_of(classes, schema)
    )
    reasons = {
        "training_rows": "a server does not say which rows its model learned from",
        "gradients": "a server gives answers, no gradients",
        "features": "a server gives answers, not the numbers inside the net",
    }
    notes = ("The server's monitor counts the rows that it is asked here; reset it if that matters.",)
    return Subject(
        predictor, kind="server", name=name, version=version, reasons=reasons, place=address, notes=notes
    )  # fmt: skip


def ask(address: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON object that a server answers.

    Raises:
        RequestError: nobody answers, an error, or something else than an object.

    """
    data = None if body is None else json.dumps(body, allow_nan=False).encode()
    request = urllib.request.Request(address, data=data, headers={"content-type": "application/json"})
    try:
        with _PLAIN.open(request, timeout=SECONDS) as reply:
            found = json.loads(reply.read(LARGEST))
    except urllib.error.HTTPError as fault:
        said = fault.read(2000).decode("utf-8", "replace")
        raise RequestError(
            f"the server answered {fault.code}: {said[:300]}", "a model that takes these rows"
        ) from fault
    except (OSError, ValueError) as fault:
        raise RequestError(
            f"nobody answers at {address}: {fault}", "a running server", "Start it: temperance serve BUNDLE"
        ) from fault
    if not isinstance(found, dict):
        raise RequestError(f"{address} answered a {type(found).__name__}", "a JSON object")
    return found


def _told(entry: dict[str, Any], what: str) -> list[str] | None:
    """Return columns or classes that a server tells beside what the protocol asks for."""
    found = (entry.get("parameters") or {}).get(what)
    return None if found is None else [str(one) for one in found]


def _texts(rows: Rows, picked: list[int]) -> NDArray[Any]:
    if rows.text is None:
        raise DataError("rows without text", "a server of a text model takes text", "Check the data")
    return np.where(rows.text == None, "", rows.text)[:, picked]  # noqa: E711  # element by element
