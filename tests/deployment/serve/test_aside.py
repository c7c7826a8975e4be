"""Large bodies in a process of their own."""

import asyncio
import json

import httpx
import numpy as np
import pytest

from temperance.deployment.bundle import load
from temperance.deployment.serve import aside as home
from temperance.deployment.serve.application import app
from temperance.deployment.serve.aside import Aside
from temperance.deployment.serve.limits import Limits
from temperance.records.errors import RequestError

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
BODY = json.dumps({"rows": [ROW] * 300}).encode()


class Watch:
    def __init__(self):
        self.rows = 0

    def observe(self, rows, predictions):
        self.rows += rows.size
        return ()

    def summary(self):
        return {"state": "calm", "alarms": []}


class Flip:
    def serve(self, rows, answers):
        return answers[:, ::-1], np.arange(len(answers))

    def summary(self):
        return {"state": "adapted"}


@pytest.fixture(scope="module")
def bundle(shipped):
    return load(shipped)


def post(application, *bodies):
    async def send():
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            try:
                return [await client.post("/predict", content=body) for body in bodies]
            finally:
                application.close()

    return asyncio.run(send())


def test_another_process_gives_the_same_answers_and_the_monitor_sees_them(bundle):
    watch, limits = Watch(), Limits(small=1000)
    good, bad = post(
        app(bundle, watcher=watch, limits=limits, large="process"), BODY, BODY.replace(b'"red"', b"[1]", 1)
    )
    here = post(app(bundle, limits=limits), BODY)[0]
    assert good.json() == here.json()
    assert watch.rows == 300
    assert (bad.status_code, "c0" in bad.json()["error"]) == (422, True)


def test_what_the_adapter_changes_is_sent(bundle):
    limits = Limits(small=1000)
    plain = post(app(bundle, limits=limits), BODY)[0].json()["predictions"][0]["probabilities"]
    reply = post(app(bundle, adapter=Flip(), limits=limits, large="process"), BODY)[0]
    sent = reply.json()["predictions"][0]["probabilities"]
    assert sent == {"no": plain["yes"], "yes": plain["no"]}


def test_another_model_in_the_folder_is_not_used(bundle):
    async def run():
        one = Aside(str(bundle.folder), "other", Limits())
        try:
            return await one.work("rows", BODY, "", b"")
        finally:
            one.close()

    assert asyncio.run(run()) is None


def test_work_that_takes_too_long_is_given_up_and_the_next_starts_anew(bundle):
    async def run():
        one = Aside(str(bundle.folder), bundle.version, Limits(work_seconds=0.01))
        with pytest.raises(RequestError, match="takes too long") as fault:
            await one.work("rows", BODY, "", b"")
        one._limits = Limits()
        found = await one.work("rows", BODY, "", b"")
        one.close()
        return fault.value.status, found

    status, found = asyncio.run(run())
    assert status == 503
    assert len(found[2]) == 300


def test_the_work_itself(bundle, monkeypatch):
    monkeypatch.setattr(home.signal, "signal", lambda *_: None)
    monkeypatch.setattr(home, "_at_work", None)
    lowered = []
    monkeypatch.setattr(home.os, "nice", lowered.append, raising=False)
    assert home._work("rows", BODY, "", b"") is None
    home._open(str(bundle.folder), bundle.version)
    assert lowered == [home.LATER], "small requests go first where cores are short"
    reply, rows, source, ident = home._work("rows", BODY, "id", b"")
    assert (rows.size, ident, len(json.loads(reply.head)["predictions"])) == (300, "id", 300)
    assert np.isfinite(source).all()
    assert home._work("rows", b"{", "", b"")["status"] == 400
    assert home._work("tensors", b"{}", "", b"")["received"]


def test_who_is_at_work_ends_it_before_the_process_goes(bundle):
    async def run():
        one = Aside(str(bundle.folder), bundle.version, Limits())
        work = [asyncio.create_task(one.work("rows", BODY, "", b"")) for _ in range(3)]
        await asyncio.sleep(0)
        await one.retire()
        assert all(task.done() for task in work)
        return [len(task.result()[2]) for task in work], one._pool

    assert asyncio.run(run()) == ([300] * 3, None)
