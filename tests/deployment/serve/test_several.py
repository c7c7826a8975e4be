"""Two models behind one server. In process, through ASGI."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.serve.launch import opened
from temperance.deployment.serve.several import Together
from temperance.deployment.several import write_several
from temperance.deployment.write import Extras, Interval, write_bundle
from temperance.monitoring import reference
from temperance.records.errors import BundleError

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}


@pytest.fixture(scope="module")
def folder(kit, linear, tmp_path_factory):
    """A model of classes and one of a number, of the same rows."""
    place = tmp_path_factory.mktemp("several")
    extras = Extras(
        reference=reference.build(linear.rows, linear.predict(linear.rows), linear.schema, target=linear.target)
    )
    write_bundle(
        place / "answer", part=basic_part(linear.fitted, linear.schema), schema=linear.schema, predictor=linear,
        rows=linear.rows, extras=extras,
    )  # fmt: skip
    from dataclasses import replace

    schema = kit.schema_of("regression", ())
    schema = replace(schema, target=replace(schema.target, name="amount"))
    number = kit.Fitted("linear", schema)
    write_bundle(
        place / "number", part=basic_part(number.fitted, schema), schema=schema, predictor=number, rows=number.rows,
        interval=Interval.of(number.predict(number.rows) - number.target),
    )  # fmt: skip
    write_several(place / "all", [("1_y", "y", place / "answer"), ("2_amount", "amount", place / "number")])
    return place / "all"


def ask(application, method, path, body=None, headers=None):
    async def once():
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            content = None if body is None else json.dumps(body)
            return await client.request(method, path, content=content, headers=headers)

    return asyncio.run(once())


@pytest.fixture(scope="module")
def application(folder):
    return opened(folder, token="secret")


def test_a_row_is_answered_for_each_target(application) -> None:
    one = ask(application, "POST", "/predict", ROW).json()
    assert set(one) == {"y", "amount"}
    assert set(one["y"]) == {"prediction", "probabilities"}
    assert set(one["amount"]) == {"prediction", "low", "high"}
    alone = ask(application, "POST", "/outputs/2_amount/predict", ROW).json()
    assert alone == one["amount"]
    rows = ask(application, "POST", "/predict", {"rows": [ROW, {**ROW, "x0": 2.0}]}).json()["predictions"]
    assert len(rows) == 2
    assert rows[0] == one
    assert rows[1]["amount"] != one["amount"]


def test_what_is_wrong_with_a_row_is_told(application) -> None:
    lacking = {name: value for name, value in ROW.items() if name != "c0"}
    reply = ask(application, "POST", "/predict", lacking)
    assert reply.status_code == 422
    assert "c0" in reply.json()["error"]
    assert ask(application, "POST", "/predict", {"rows": []}).status_code == 422


def test_each_model_has_its_own_protocol_and_watch(application) -> None:
    about = ask(application, "GET", "/").json()
    assert {name: one["target"] for name, one in about["models"].items()} == {"1_y": "y", "2_amount": "amount"}
    health = ask(application, "GET", "/health").json()
    assert health["outputs"]["1_y"]["monitor"] is not None
    assert health["outputs"]["2_amount"]["monitor"] is None
    name = ask(application, "GET", "/outputs/1_y/health").json()["model"]
    assert ask(application, "GET", f"/outputs/1_y/v2/models/{name}").json()["name"] == name
    assert b"temperance_rows" in ask(application, "GET", "/outputs/1_y/metrics").content
    allowed = ask(application, "GET", "/outputs/1_y/admin/status", headers={"authorization": "Bearer secret"})
    assert allowed.status_code in (200, 404)
    assert ask(application, "GET", "/outputs/1_y/admin/status").status_code in (401, 403)


@pytest.mark.parametrize("path", ["/v2/models/b/infer", "/admin/status", "/outputs/3_none/predict", "/nothing"])
def test_what_belongs_to_one_model_is_asked_there(application, path: str) -> None:
    reply = ask(application, "POST", path, ROW)
    assert reply.status_code == 404
    assert path == "/nothing" or "/outputs/1_y" in reply.json()["error"]


def test_state_is_kept_apart_and_draining_reaches_all(folder, tmp_path) -> None:
    served = opened(folder, token="secret", state=tmp_path / "state")
    assert isinstance(served, Together)
    assert served.has_admin
    assert "2 models (1_y, 2_amount)" in served.title
    assert (tmp_path / "state" / "1_y").is_dir()
    served.draining = True
    assert all(part.draining for part in served.parts.values())
    for part in served.parts.values():
        if part.keep is not None:
            part.keep.close()


def test_a_damaged_part_is_not_served(folder, tmp_path) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "all")
    (tmp_path / "all" / "1_y" / "model.onnx").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        opened(tmp_path / "all")


def test_the_manual_names_each_model_and_the_way_to_its_own(application) -> None:
    page = ask(application, "GET", "/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "href='/outputs/2_amount/docs'>amount</a>" in page.text
    assert "<code>c0</code>" in page.text
    own = ask(application, "GET", "/outputs/2_amount/docs").text
    assert "href='openapi.json'" in own
    assert ask(application, "GET", "/outputs/2_amount/openapi.json").json()["info"]["title"]
    missing = ask(application, "GET", "/openapi.json")
    assert missing.status_code == 404
    assert "/docs" in missing.text
