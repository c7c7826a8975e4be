"""A new bundle without a lost request."""

import asyncio
import shutil

import httpx
import numpy as np
import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.bundle import load
from temperance.deployment.serve.launch import served
from temperance.deployment.write import Extras, write_bundle
from temperance.monitoring import reference

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
OWNER = {"authorization": "Bearer t"}


def written(folder, model, schema, *, watched=True):
    normal = reference.build(model.rows, model.predict(model.rows), schema, target=model.target)
    return write_bundle(
        folder, part=basic_part(model.fitted, schema), schema=schema, predictor=model, rows=model.rows,
        extras=Extras(reference=normal if watched else None),
    )  # fmt: skip


@pytest.fixture
def place(linear, binary, tmp_path):
    return written(tmp_path / "b", linear, binary).folder


def talk(application, run):
    async def all_of_it():
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await run(client)

    return asyncio.run(all_of_it())


def test_requests_around_a_reload_are_all_answered(place, kit, binary, tmp_path):
    application = served(load(place), state=tmp_path / "state", token="t")
    before = application.bundle.version

    async def run(client):
        statuses = []

        async def ask():
            for _ in range(60):
                statuses.append((await client.post("/predict", json=ROW)).status_code)
                await asyncio.sleep(0.001)

        asking = asyncio.create_task(ask())
        await asyncio.sleep(0.02)
        await asyncio.to_thread(written, place, kit.Fitted("majority", binary), binary)
        told = await client.post("/admin/reload", headers=OWNER)
        await asking
        return statuses, told, await client.get("/health"), await client.get("/metrics")

    statuses, told, health, metrics = talk(application, run)
    assert set(statuses) == {200}
    body = told.json()
    assert (body["reloaded"], body["before"], body["columns_changed"]) == (True, before, False)
    assert body["version"] == health.json()["version"] != before
    assert metrics.text.count("temperance_model{") == 1
    assert (tmp_path / "state" / "lock").exists()
    application.close()


def test_a_damaged_bundle_changes_nothing(place, tmp_path):
    application = served(load(place), state=tmp_path / "state", token="t")
    before = application.bundle.version
    (place / "model.onnx").write_bytes(b"broken")

    async def run(client):
        told = await client.post("/admin/reload", headers=OWNER)
        return told, await client.post("/predict", json=ROW), await client.post("/admin/reload")

    told, answer, stranger = talk(application, run)
    assert (told.status_code, before in told.json()["error"]) == (409, True)
    assert (answer.status_code, stranger.status_code) == (200, 401)
    application.close()


def test_a_bundle_that_cannot_be_watched_is_refused_and_the_state_goes_on(place, linear, binary, kit, tmp_path):
    application = served(load(place), state=tmp_path / "state", token="t")
    application.serve(application.answering.intake.rows([ROW]))
    shutil.rmtree(place)
    written(place, kit.Fitted("majority", binary), binary, watched=False)

    async def run(client):
        return await client.post("/admin/reload", headers=OWNER)

    told = talk(application, run)
    assert (told.status_code, "reference" in told.json()["error"]) == (409, True)
    application.serve(application.answering.intake.rows([ROW]))
    application.close()
    again = served(load(written(tmp_path / "c", linear, binary).folder), state=tmp_path / "state", token="t")
    assert again.watcher.summary()["rows"] == 2
    again.close()


def test_the_same_bundle_is_left_as_it_is(place):
    application = served(load(place), token="t")
    kept = application.answering

    async def run(client):
        return (await client.post("/admin/reload", headers=OWNER)).json()

    assert talk(application, run)["reloaded"] is False
    assert application.answering is kept
    assert np.isfinite(application.serve(kept.intake.rows([ROW]))).all()
