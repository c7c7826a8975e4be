"""The server described as OpenAPI 3.1, with the columns and classes of the bundle that it serves."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from temperance.deployment.bundle import Bundle
from temperance.records.schema import Column
from temperance.records.version import __version__

JSON = "application/json"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ERROR = {"$ref": "#/components/schemas/error"}
REFUSALS = {
    "400": "the body is no valid JSON, or damaged", "405": "another method", "408": "headers or body came too late",
    "413": "the body is too large", "415": "an encoding that is not known", "422": "a row or a value does not fit",
    "503": "the server is busy or stops; Retry-After says when to come again",
}  # fmt: skip


def describe(bundle: Bundle, *, admin: bool) -> dict[str, Any]:
    """Return the document of ``/openapi.json``.

    Args:
        bundle: what is served.
        admin: there is ``/admin/…``.

    """
    paths: dict[str, Any] = {
        "/predict": {"post": _predict(bundle)},
        "/health": {"get": _read("How the server and the model are")},
        "/metrics": {"get": _read("Figures in Prometheus' text format", "text/plain")},
        "/v2": {"get": _read("Open Inference Protocol: the server")},
        "/v2/health/live": {"get": _read("Open Inference Protocol: the process runs")},
        "/v2/health/ready": {"get": _read("Open Inference Protocol: requests are taken")},
        f"/v2/models/{bundle.name}": {"get": _read("Open Inference Protocol: inputs and outputs")},
        f"/v2/models/{bundle.name}/ready": {"get": _read("Open Inference Protocol: the model answers")},
        f"/v2/models/{bundle.name}/stats": {"get": _read("Open Inference Protocol: counts and times")},
        f"/v2/models/{bundle.name}/infer": {"post": _infer()},
        "/v2/repository/index": {"post": _act("Open Inference Protocol: the model that is served", None)},
    }
    if admin:
        paths |= _admin()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{bundle.name}: {bundle.task}", "version": bundle.version,
            "description": f"A model served by Temperance {__version__}. Every refusal is JSON: {{\"error\": …}}. "
            "Send X-Request-ID to name a request; the answer carries it, and labels find the answer by it.",
        },
        "paths": paths,
        "components": {
            "schemas": {"row": row_schema(bundle), "answer": answer_schema(bundle), "error": {
                "type": "object", "required": ["error"], "properties": {"error": {"type": "string"}},
            }},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def row_schema(bundle: Bundle) -> dict[str, Any]:
    """Return the JSON schema of one row."""
    schema = bundle.schema
    if schema.kind == "images":
        shape = " × ".join(map(str, schema.image_shape or ()))
        image = {"type": "array", "description": f"{shape} whole numbers from 0 to 255, nested"}
        return {"type": "object", "required": ["image"], "properties": {"image": image}}
    properties: dict[str, Any] = {}
    for column in schema.columns:
        properties.setdefault(column.source or column.name, _column(column))
    example: dict[str, Any] = {}
    for column in schema.columns:  # the first part of a date stands for all of them
        example.setdefault(column.source or column.name, _example(column))
    return {"type": "object", "required": [*properties], "properties": properties, "additionalProperties": True,
            "examples": [example]}  # fmt: skip


def _example(column: Column) -> Any:
    if column.vocabulary and not column.part:
        return column.vocabulary[0]
    if column.part == "days":
        return _day(column) or None
    return column.low if column.kind == "numeric" and not column.part and not column.unit else None


def _day(column: Column) -> str:
    """Return the first day seen of a column as its file writes it; empty where the pattern is none of the calendar."""
    pattern = "%Y-%m-%d" if column.format == "iso" else column.format
    if column.low is None or not pattern.startswith("%"):
        return ""
    try:
        return (EPOCH + timedelta(days=math.floor(column.low))).strftime(pattern)
    except (ValueError, OverflowError):
        return ""


def answer_schema(bundle: Bundle) -> dict[str, Any]:
    """Return the JSON schema of one answer."""
    number = {"type": "number"}
    if not bundle.classes:
        sides = {"low": number, "high": number} if bundle.has_interval else {}
        return {"type": "object", "required": ["prediction", *sides], "properties": {"prediction": number, **sides}}
    shares = {name: {"type": "number", "minimum": 0, "maximum": 1} for name in bundle.classes}
    return {
        "type": "object", "required": ["prediction", "probabilities"],
        "properties": {
            "prediction": {"enum": [*bundle.classes]},
            "probabilities": {"type": "object", "required": [*shares], "properties": shares},
        },
    }  # fmt: skip


def _column(column: Column) -> dict[str, Any]:
    if column.kind == "numeric" and not column.part:
        return {"type": ["number", "string", "null"], "description": "a number, or a text that is one; null: not known"}
    if column.kind == "categorical":
        known = ", ".join(map(repr, column.vocabulary[:12])) + (", …" if len(column.vocabulary) > 12 else "")
        return {"type": ["string", "number", "boolean", "null"], "description": f"seen in training: {known}"}
    if column.part == "days":
        day = _day(column)
        told = "a date, written as in training" + (f", e.g. {day}" if day else "") + "; null: not known"
        return {"type": ["number", "string", "null"], "description": told}
    return {"type": ["string", "number", "array", "null"], "description": f"read as {column.kind}"}


def _predict(bundle: Bundle) -> dict[str, Any]:
    row, answer = {"$ref": "#/components/schemas/row"}, {"$ref": "#/components/schemas/answer"}
    rows = {"type": "array", "items": row, "minItems": 1}
    split = {
        "type": "object", "required": ["columns", "data"],
        "properties": {"columns": {"type": "array", "items": {"type": "string"}},
                       "data": {"type": "array", "items": {"type": "array"}}},
    }  # fmt: skip
    many = [
        {"type": "object", "required": [name], "properties": {name: shape}}
        for name, shape in {
            "rows": rows,
            "instances": rows,
            "dataframe_records": rows,
            "dataframe_split": split,
        }.items()
    ]
    answers = {"type": "object", "required": ["predictions"],
               "properties": {"predictions": {"type": "array", "items": answer}}}  # fmt: skip
    return {
        "summary": "Predict a row, or several",
        "requestBody": {"required": True, "content": {JSON: {"schema": {"anyOf": [row, rows, *many]}}}},
        "responses": {
            "200": {"description": "one answer, or `predictions` in the order of the rows",
                    "content": {JSON: {"schema": {"anyOf": [answer, answers]}}}},
            **_refusals(),
        },
    }  # fmt: skip


def _infer() -> dict[str, Any]:
    tensor = {
        "type": "object", "required": ["name", "shape", "datatype"],
        "properties": {
            "name": {"type": "string"}, "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"}, "data": {"type": "array"}, "parameters": {"type": "object"},
        },
    }  # fmt: skip
    body = {
        "type": "object", "required": ["inputs"],
        "properties": {
            "id": {"type": "string"}, "inputs": {"type": "array", "items": tensor},
            "outputs": {"type": "array", "items": {"type": "object"}},
        },
    }  # fmt: skip
    return {
        "summary": "Open Inference Protocol: predict tensors, as JSON or with binary data",
        "requestBody": {"required": True, "content": {JSON: {"schema": body}, "application/octet-stream": {}}},
        "responses": {
            "200": {"description": "outputs", "content": {JSON: {"schema": {"type": "object"}}}},
            **_refusals(),
        },
    }


def _admin() -> dict[str, Any]:
    label = {
        "type": "object", "required": ["labels"],
        "properties": {"labels": {"type": "array", "items": {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "label": {}, "labels": {}},
        }}},
    }  # fmt: skip
    secured: dict[str, Any] = {"security": [{"token": []}]}
    reads = {"report": "Drift, expected quality and what to do, in words", "log": "What the guard did"}
    acts = {
        "labels": ("True answers by request id", label), "reset": ("Begin the watch anew", None),
        "rollback": ("Serve the source model", None), "freeze": ("Stay with the source model", None),
        "thaw": ("Allow adaptation again", None), "reload": ("Serve the bundle that lies in the folder now", None),
    }  # fmt: skip
    return {
        **{f"/admin/{name}": {"get": {**_read(says), **secured}} for name, says in reads.items()},
        **{f"/admin/{name}": {"post": {**_act(says, body), **secured}} for name, (says, body) in acts.items()},
    }


def _read(says: str, kind: str = JSON) -> dict[str, Any]:
    return {"summary": says, "responses": {"200": {"description": "as said", "content": {kind: {}}}}}


def _act(says: str, body: Any) -> dict[str, Any]:
    asked = {"requestBody": {"required": True, "content": {JSON: {"schema": body}}}} if body else {}
    return {
        "summary": says,
        **asked,
        "responses": {"200": {"description": "done", "content": {JSON: {}}}, **_refusals()},
    }


def _refusals() -> dict[str, Any]:
    return {status: {"description": says, "content": {JSON: {"schema": ERROR}}} for status, says in REFUSALS.items()}
