"""Labels by request id, alerts in words, rollback and freeze behind a token; state that outlives the server."""

import asyncio

import httpx
import numpy as np
import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.bundle import load
from temperance.deployment.serve.launch import served
from temperance.deployment.write import Extras, Interval, write_bundle
from temperance.monitoring import reference
from temperance.records.stated_range import Scale

TOKEN = {"authorization": "Bearer secret"}


@pytest.fixture(scope="module")
def folder(linear, binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("admin") / "b"
    normal = reference.build(linear.rows, linear.predict(linear.rows), binary, target=linear.target)
    part = basic_part(linear.fitted, binary)
    write_bundle(folder, part=part, schema=binary, predictor=linear, rows=linear.rows, extras=Extras(reference=normal))
    return folder


def call(application, method, path, headers=TOKEN, **content):
    async def run():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, path, headers=headers, **content)

    return asyncio.run(run())


def records(kit, binary, count, seed=1):
    rows, truth = kit.table_of(binary, count, seed)
    words = binary.decode(rows.categorical)
    return [
        {**{f"x{j}": None if np.isnan(v) else v for j, v in enumerate(row)}, "c0": c[0] or None, "c1": c[1] or None}
        for row, c in zip(rows.numeric.tolist(), words, strict=True)
    ], [binary.target.classes[t] for t in truth]


def ask(application, rows, ident):
    reply = call(application, "POST", "/predict", {"x-request-id": ident}, json={"rows": rows})
    assert (reply.status_code, reply.headers["x-request-id"]) == (200, ident)
    return reply.json()["predictions"]


def label(application, ident, values):
    return call(application, "POST", "/admin/labels", json={"labels": [{"id": ident, "labels": values}]})


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "secret"}])
@pytest.mark.parametrize(("method", "path"), [("GET", "/admin/report"), ("POST", "/admin/labels"), ("GET", "/admin/x")])
def test_nobody_without_the_token_is_let_in(folder, method, path, headers):
    reply = call(served(load(folder), token="secret"), method, path, headers)
    assert (reply.status_code, "token" in reply.json()["error"]) == (401, True)
    assert call(served(load(folder)), method, path, {"authorization": "Bearer "}).status_code == 401


def test_right_labels_are_calm_and_wrong_ones_alarm_in_words(folder, kit, binary):
    application = served(load(folder), token="secret")
    rows, truth = records(kit, binary, 400)
    ask(application, rows, "first")
    reply = label(application, "first", truth)
    assert reply.json()["taken"] == 400
    assert reply.json()["loss"]["state"] == "calm"
    report = call(application, "GET", "/admin/report").json()
    assert report["alerts"] == []
    flipped = {"no": "yes", "yes": "no"}
    ask(application, rows, "second")
    assert label(application, "second", [flipped[t] for t in truth]).json()["loss"]["state"] == "alarm"
    ask(application, rows, "third")
    report = call(application, "GET", "/admin/report").json()
    assert "retrain" in report["alerts"][0]["text"]
    quality = report["expected_quality"]
    assert quality["low"] is None
    assert any("labels say otherwise" in flag for flag in quality["flags"])


def test_labels_are_checked_before_any_counts(folder, kit, binary):
    application = served(load(folder), token="secret")
    rows, truth = records(kit, binary, 3)
    ask(application, rows, "a")
    for body, status in [
        ({"labels": [{"id": "a", "labels": truth}, {"id": "b", "label": "no"}]}, 404),
        ({"labels": [{"id": "a", "labels": truth[:2]}]}, 422),
        ({"labels": [{"id": "a", "labels": ["no", "maybe", "no"]}]}, 422),
        ({"labels": [{"id": "a", "labels": truth}] * 2}, 422),
        ({"labels": [{"id": "a"}]}, 422),
        ({"labels": []}, 422),
        ([], 400),
    ]:
        reply = call(application, "POST", "/admin/labels", json=body)
        assert reply.status_code == status, body
        assert application.admin.loss.n == 0
    assert label(application, "a", [truth[0], None, truth[2]]).json()["taken"] == 2
    assert label(application, "a", truth).status_code == 404


def test_a_restart_forgets_nothing(folder, kit, binary, tmp_path):
    first = served(load(folder), token="secret", state=tmp_path / "s", level="shadow")
    rows, truth = records(kit, binary, 300)
    shifted = [{**row, "x0": 9.0} for row in rows]
    ask(first, shifted, "a")
    ask(first, rows[:50], "b")
    assert label(first, "a", truth).status_code == 200
    assert call(first, "POST", "/admin/freeze").json()["state"] == "frozen"
    before = first.watcher.summary()
    assert before["state"] == "alarm"
    first.keep._lock.close()  # as a process that is killed lets go of it
    second = served(load(folder), token="secret", state=tmp_path / "s", level="shadow")
    assert second.watcher.summary() == before
    assert second.adapter.summary()["state"] == "frozen"
    assert label(second, "b", truth[:50]).json()["loss"]["n"] == 350
    assert call(second, "POST", "/admin/thaw").json()["state"] == "source"
    second.keep.close()


def test_reset_rollback_and_log(folder, kit, binary):
    application = served(load(folder), token="secret", level="adapt")
    rows, _ = records(kit, binary, 128)
    ask(application, [{**row, "x0": 9.0} for row in rows], "a")
    report = call(application, "GET", "/admin/report").json()
    assert "x0" in report["alerts"][0]["text"]
    assert any("inputs have changed" in flag for flag in report["expected_quality"]["flags"])
    assert call(application, "POST", "/admin/reset").json()["state"] == "calm"
    assert call(application, "POST", "/admin/reset", json={"accept": 1}).status_code == 400
    assert call(application, "POST", "/admin/rollback").json()["serving"] == "source"
    assert call(application, "GET", "/admin/log").json() == {"events": [], "shares": [], "intact": True}
    assert call(served(load(folder), token="secret"), "POST", "/admin/rollback").status_code == 409


def test_values_outside_the_interval_are_the_loss_of_a_regression(kit, regression, tmp_path, monkeypatch):
    model = kit.Fitted("linear", regression)
    normal = reference.build(model.rows, model.predict(model.rows), regression, target=model.target)
    bundle = write_bundle(
        tmp_path / "r", part=basic_part(model.fitted, regression), schema=regression, predictor=model,
        rows=model.rows, extras=Extras(reference=normal),
        interval=Interval.of(model.predict(model.rows) - model.target),
    )  # fmt: skip
    application = served(bundle, token="secret")
    rows, _ = records(kit, kit.schema_of(), 50)
    values = [one["prediction"] for one in ask(application, rows, "a")]
    assert label(application, "a", [*values[:49], 1e9]).json()["loss"]["details"]["loss"]["value"] == pytest.approx(
        0.02
    )
    values = [one["prediction"] for one in ask(application, rows, "b")]
    monkeypatch.setattr(
        type(application.admin.bundle), "bounds", lambda self, given, level=None: (given + 1, given + 2)
    )
    assert label(application, "b", values).json()["loss"]["details"]["loss"]["value"] == pytest.approx(0.51)


def test_the_loss_of_a_regression_is_of_the_range_that_was_answered(kit, regression, tmp_path):
    model = kit.Fitted("linear", regression)
    values = np.sort(model.predict(model.rows))
    normal = reference.build(model.rows, model.predict(model.rows), regression, target=model.target)
    scale = Scale((float(values[0]) - 1.0, float(values[-1]) + 1.0), (4.0, 4.0))
    bundle = write_bundle(
        tmp_path / "r", part=basic_part(model.fitted, regression), schema=regression, predictor=model,
        rows=model.rows, extras=Extras(reference=normal), interval=Interval((0.9,), (1.0,), 0.9, 50, scale=scale),
    )  # fmt: skip
    application = served(bundle, token="secret")
    rows, _ = records(kit, kit.schema_of(), 50)
    answered = ask(application, rows, "a")
    inside = [0.9 * one["high"] + 0.1 * one["prediction"] for one in answered]
    assert label(application, "a", inside).json()["loss"]["details"]["loss"]["value"] == 0.0
