"""Open Inference Protocol v2 over JSON: what the specification asks for, and 4xx with ``error`` for the rest."""

import asyncio
import json
import struct

import httpx
import numpy as np
import pytest

from temperance import __version__
from temperance.deployment.basic import basic_part
from temperance.deployment.serve import app
from temperance.deployment.write import Interval, write_bundle

NUMERIC = {"name": "numeric", "shape": [2, 4], "datatype": "FP64", "data": [1.0, 5e6, None, 2, 0, 5e6, 0.001, -1]}
WORDS = {"name": "categorical", "shape": [2, 2], "datatype": "BYTES", "data": ["red", "yes", "", "new"]}


@pytest.fixture(scope="module")
def bundle(linear, binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("protocol") / "b"
    part = basic_part(linear.fitted, binary)
    return write_bundle(folder, part=part, schema=binary, predictor=linear, rows=linear.rows, name="churn")


def call(bundle, method, path, body=None, raw=None):
    async def send():
        transport = httpx.ASGITransport(app=app(bundle))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            content = json.dumps(body) if body is not None else raw
            return await client.request(method, path, content=content)

    return asyncio.run(send())


def infer(bundle, **body):
    return call(bundle, "POST", "/v2/models/churn/infer", body)


def shaped(name, datatype, shape):
    return {"name": name, "datatype": datatype, "shape": shape}


def test_metadata_and_readiness(bundle):
    for path in ("/v2", "/v2/"):
        assert call(bundle, "GET", path).json() == {
            "name": "temperance",
            "version": __version__,
            "extensions": ["binary_tensor_data", "statistics", "model_repository"],
        }
    assert call(bundle, "GET", "/v2/health/live").json() == {"live": True}
    assert call(bundle, "GET", "/v2/health/ready").json() == {"ready": True}
    version = f"/versions/{bundle.version}"
    for path in ("/v2/models/churn", f"/v2/models/churn{version}"):
        body = call(bundle, "GET", path).json()
        assert body["inputs"] == [
            {**shaped("numeric", "FP64", [-1, 4]), "parameters": {"columns": ["x0", "x1", "x2", "x3"]}},
            {**shaped("categorical", "BYTES", [-1, 2]), "parameters": {"columns": ["c0", "c1"]}},
        ]
        classes = {"parameters": {"classes": ["no", "yes"]}}
        assert body["outputs"] == [{**shaped("probabilities", "FP64", [-1, 2]), **classes}]
        assert body["versions"] == [bundle.version]
    for path in ("/v2/models/churn/ready", f"/v2/models/churn{version}/ready"):
        assert call(bundle, "GET", path).json() == {"name": "churn", "ready": True}


def test_infer_flat_nested_and_reordered(bundle):
    flat = infer(bundle, id="7", inputs=[NUMERIC, WORDS])
    assert flat.status_code == 200
    body = flat.json()
    assert (body["id"], body["model_name"], body["model_version"]) == ("7", "churn", bundle.version)
    output = body["outputs"][0]
    assert (output["name"], output["datatype"], output["shape"]) == ("probabilities", "FP64", [2, 2])
    assert np.array(output["data"]).reshape(2, 2).sum(1) == pytest.approx([1, 1])
    nested = [
        {**entry, "data": [entry["data"][: entry["shape"][1]], entry["data"][entry["shape"][1] :]]}
        for entry in (WORDS, NUMERIC)
    ]
    assert infer(bundle, id="7", inputs=nested).json() == body
    asked = infer(bundle, inputs=[NUMERIC, WORDS], outputs=[{"name": "probabilities"}]).json()
    assert asked["outputs"] == body["outputs"]
    assert "id" not in asked
    single = {**NUMERIC, "datatype": "FP32"}
    assert infer(bundle, id="7", inputs=[single, WORDS]).json() == body


def test_protocol_and_rows_give_the_same(bundle):
    row = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
    shares = call(bundle, "POST", "/predict", row).json()["probabilities"]
    data = infer(bundle, inputs=[NUMERIC, WORDS]).json()["outputs"][0]["data"]
    assert data[:2] == list(shares.values())


def test_regression_gives_value_low_and_high(kit, regression, tmp_path):
    model = kit.Fitted("linear", regression)
    interval = Interval.of(model.predict(model.rows) - model.target)
    bundle = write_bundle(
        tmp_path / "b", part=basic_part(model.fitted, regression), schema=regression, predictor=model, rows=model.rows,
        interval=interval, name="churn",
    )  # fmt: skip
    outputs = infer(bundle, inputs=[NUMERIC, WORDS]).json()["outputs"]
    assert [entry["name"] for entry in outputs] == ["value", "low", "high"]
    assert [entry["shape"] for entry in outputs] == [[2]] * 3
    only = infer(bundle, inputs=[NUMERIC, WORDS], outputs=[{"name": "high"}]).json()["outputs"]
    assert only == [outputs[2]]


@pytest.mark.parametrize("path", ["/v2/models/other", "/v2/models/churn/versions/9", "/v2/models/churn/nothing"])
def test_unknown_models_versions_and_actions_are_404(bundle, path):
    reply = call(bundle, "GET", path)
    assert reply.status_code == 404
    assert reply.json()["error"]


def without(entry, key):
    return {k: v for k, v in entry.items() if k != key}


MALFORMED = {
    "no inputs": {},
    "inputs is no list": {"inputs": {"name": "numeric"}},
    "an input is no object": {"inputs": [1]},
    "an input is missing": {"inputs": [NUMERIC]},
    "an unknown input": {"inputs": [NUMERIC, WORDS, {**NUMERIC, "name": "x"}]},
    "an input twice": {"inputs": [NUMERIC, NUMERIC, WORDS]},
    "no name": {"inputs": [without(NUMERIC, "name"), WORDS]},
    "a name that is a list": {"inputs": [{**NUMERIC, "name": []}, WORDS]},
    "no datatype": {"inputs": [without(NUMERIC, "datatype"), WORDS]},
    "a wrong datatype": {"inputs": [{**NUMERIC, "datatype": "BYTES"}, WORDS]},
    "an unknown datatype": {"inputs": [{**NUMERIC, "datatype": "FP65"}, WORDS]},
    "a datatype that is a list": {"inputs": [{**NUMERIC, "datatype": ["FP64"]}, WORDS]},
    "no shape": {"inputs": [without(NUMERIC, "shape"), WORDS]},
    "a wrong width": {"inputs": [{**NUMERIC, "shape": [4, 2]}, WORDS]},
    "too many axes": {"inputs": [{**NUMERIC, "shape": [2, 4, 1]}, WORDS]},
    "a negative size": {"inputs": [{**NUMERIC, "shape": [-2, 4]}, WORDS]},
    "no rows": {"inputs": [{**NUMERIC, "shape": [0, 4], "data": []}, {**WORDS, "shape": [0, 2], "data": []}]},
    "a size that is no number": {"inputs": [{**NUMERIC, "shape": ["2", 4]}, WORDS]},
    "a size that is true": {"inputs": [{**NUMERIC, "shape": [True, 4], "data": [1, 2, 3, 4]}, WORDS]},
    "a huge size": {"inputs": [{**NUMERIC, "shape": [10**30, 4]}, WORDS]},
    "a product that wraps": {"inputs": [{**NUMERIC, "shape": [2**62, 4], "data": []}, WORDS]},
    "half a whole number": {"inputs": [{**NUMERIC, "datatype": "INT64", "data": [1.5] * 8}, WORDS]},
    "a byte of 300": {"inputs": [{**NUMERIC, "datatype": "UINT8", "data": [300] * 8}, WORDS]},
    "a negative count": {"inputs": [{**NUMERIC, "datatype": "UINT32", "data": [-1] * 8}, WORDS]},
    "a truth of 2": {"inputs": [{**NUMERIC, "datatype": "BOOL", "data": [2] * 8}, WORDS]},
    "too few values": {"inputs": [{**NUMERIC, "data": [1.0]}, WORDS]},
    "no data": {"inputs": [without(NUMERIC, "data"), WORDS]},
    "data that are no list": {"inputs": [{**NUMERIC, "data": "1234"}, WORDS]},
    "uneven nesting": {"inputs": [{**NUMERIC, "data": [[1, 2, 3, 4], 5, 6, 7, 8]}, WORDS]},
    "words as numbers": {"inputs": [{**NUMERIC, "data": ["a"] * 8}, WORDS]},
    "objects as numbers": {"inputs": [{**NUMERIC, "data": [{}] * 8}, WORDS]},
    "numbers as words": {"inputs": [NUMERIC, {**WORDS, "data": [1, 2, 3, 4]}]},
    "counts differ": {"inputs": [NUMERIC, {**WORDS, "shape": [1, 2], "data": ["a", "b"]}]},
    "an unknown output": {"inputs": [NUMERIC, WORDS], "outputs": [{"name": "logits"}]},
    "outputs is no list": {"inputs": [NUMERIC, WORDS], "outputs": "probabilities"},
    "an id that is no text": {"id": 7, "inputs": [NUMERIC, WORDS]},
    "a list": [NUMERIC, WORDS],
    "a number": 5,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests_are_400_with_an_error(bundle, name):
    reply = call(bundle, "POST", "/v2/models/churn/infer", MALFORMED[name])
    assert reply.status_code == 400, reply.text
    assert list(reply.json()) == ["error"]


@pytest.mark.parametrize("raw", [b"", b"{", b"\x00\x01", b"nul"])
def test_bodies_that_are_no_json(bundle, raw):
    reply = call(bundle, "POST", "/v2/models/churn/infer", raw=raw)
    assert reply.status_code == 400
    assert list(reply.json()) == ["error"]


def test_random_changes_of_a_request_never_fail_inside(bundle):
    random = np.random.default_rng(0)
    values = [None, 1, -1, 2.5, "x", "", [], {}, [[1]], True, 10**30, ["FP64"], {"name": "numeric"}]
    statuses = set()
    for _ in range(300):
        body = json.loads(json.dumps({"id": "a", "inputs": [NUMERIC, WORDS], "outputs": [{"name": "probabilities"}]}))
        place = body if random.random() < 0.3 else body["inputs"][random.integers(2)]
        key = list(place)[random.integers(len(place))]
        place[key] = values[random.integers(len(values))]
        reply = call(bundle, "POST", "/v2/models/churn/infer", body)
        statuses.add(reply.status_code)
        assert reply.status_code == 200 or list(reply.json()) == ["error"]
    assert statuses <= {200, 400, 422}


def binary_call(bundle, inputs, data, *, head=None, outputs=None):
    text = json.dumps({"id": "b", "inputs": inputs, "parameters": {"binary_data_output": True}, "outputs": outputs})

    async def send():
        transport = httpx.ASGITransport(app=app(bundle))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            headers = {"inference-header-content-length": str(len(text)) if head is None else head}
            return await client.post("/v2/models/churn/infer", content=text.encode() + data, headers=headers)

    return asyncio.run(send())


def packed(words):
    return b"".join(struct.pack("<I", len(w.encode())) + w.encode() for w in words)


@pytest.mark.parametrize("datatype", ["FP64", "FP32", "INT32"])
def test_binary_tensors_in_and_out_give_the_same(bundle, datatype):
    values, words = [1, 5, 0, 2, 0, 5, 1, -1], ["red", "yes", "", "größe"]
    plain = infer(bundle, inputs=[{**NUMERIC, "data": values}, {**WORDS, "data": words}]).json()
    expected = plain["outputs"][0]["data"]
    parts = [np.array(values, dtype={"FP64": "<f8", "FP32": "<f4", "INT32": "<i4"}[datatype]).tobytes(), packed(words)]
    inputs = [
        {**without(entry, "data"), "datatype": kind, "parameters": {"binary_data_size": len(part)}}
        for entry, kind, part in zip((NUMERIC, WORDS), (datatype, "BYTES"), parts, strict=True)
    ]
    reply = binary_call(bundle, inputs, b"".join(parts))
    size = int(reply.headers["inference-header-content-length"])
    head = json.loads(reply.content[:size])
    assert head["outputs"][0]["parameters"] == {"binary_data_size": 32}
    assert np.frombuffer(reply.content[size:], "<f8").tolist() == expected
    as_lists = [{"name": "probabilities", "parameters": {"binary_data": False}}]
    assert binary_call(bundle, inputs, b"".join(parts), outputs=as_lists).json()["outputs"][0]["data"] == expected


@pytest.mark.parametrize(
    ("size", "data", "head"),
    [(64, b"1" * 63, None), (8, b"1" * 9, None), (-1, b"", None), ("8", b"1" * 8, None), (64, b"", None),
     (63, b"1" * 63, None), (True, b"1", None), (64, b"1" * 64, "x"), (64, b"1" * 64, "99999"), (64, b"1" * 64, "-1")],
)  # fmt: skip
def test_binary_data_that_do_not_fit_are_400(bundle, size, data, head):
    numeric = {**without(NUMERIC, "data"), "parameters": {"binary_data_size": size}}
    reply = binary_call(bundle, [numeric, WORDS], data, head=head)
    assert (reply.status_code, list(reply.json())) == (400, ["error"])


def test_one_tensor_per_column(bundle):
    row = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
    words = {**WORDS, "shape": [1, 2], "data": ["red", "yes"]}
    whole = [{**NUMERIC, "shape": [1, 4], "data": [1.0, 5e6, None, 2]}, words]
    expected = infer(bundle, inputs=whole).json()["outputs"][0]["data"]
    columns = [
        {"name": name, "datatype": "BYTES" if isinstance(value, str) else "FP64", "shape": shape, "data": [value]}
        for (name, value), shape in zip(row.items(), [[1], [1, 1]] * 3, strict=True)
    ]
    assert infer(bundle, inputs=columns).json()["outputs"][0]["data"] == expected
    assert infer(bundle, inputs=columns[1:]).status_code == 422
    assert infer(bundle, inputs=[{**columns[0], "shape": [2]}, *columns[1:]]).status_code == 400
    assert infer(bundle, inputs=[{**columns[0], "datatype": "X"}, *columns[1:]]).status_code == 400
