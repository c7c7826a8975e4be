"""The server's answers: rows, errors, health, metrics. In process, through ASGI."""

import asyncio
import gzip
import json
import time
import zlib

import httpx
import numpy as np
import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.serve import app
from temperance.deployment.serve.limits import Limits
from temperance.deployment.write import Interval, write_bundle
from temperance.records.verdict import Verdict

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}


class Watch:
    def __init__(self):
        self.seen = []

    def observe(self, rows, predictions):
        self.seen.append((rows, predictions))
        return [Verdict("feature:x0", "alarm", 1e6, 1e5, 9)] if len(self.seen) == 2 else []

    def summary(self):
        return {"state": "watch", "alarms": [], "evidence": {"feature:x0": 3.5}}


class Flip:
    def serve(self, rows, answers):
        return answers[:, ::-1], np.arange(len(answers))

    def summary(self):
        return {"state": "adapted"}


@pytest.fixture(scope="module")
def classifier(linear, binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier") / "b"
    return write_bundle(
        folder, part=basic_part(linear.fitted, binary), schema=binary, predictor=linear, rows=linear.rows
    )


@pytest.fixture(scope="module")
def regressor(kit, regression, tmp_path_factory):
    model = kit.Fitted("linear", regression)
    residuals = model.predict(model.rows) - model.target
    return write_bundle(
        tmp_path_factory.mktemp("regressor") / "b",
        part=basic_part(model.fitted, regression),
        schema=regression,
        predictor=model,
        rows=model.rows,
        interval=Interval.of(residuals),
    )


def call(application, method, path, **request):
    async def send():
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, path, **request)

    return asyncio.run(send())


def test_one_row_gives_one_answer(classifier, linear):
    reply = call(app(classifier), "POST", "/predict", json=ROW)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    assert set(body) == {"prediction", "probabilities"}
    assert sum(body["probabilities"].values()) == pytest.approx(1)
    assert body["prediction"] == max(body["probabilities"], key=body["probabilities"].get)


def test_many_rows_equal_the_bundle(classifier, linear, binary):
    words = binary.decode(linear.rows.categorical)
    records = [
        {f"x{j}": None if np.isnan(v) else v for j, v in enumerate(numbers)} | {"c0": a or None, "c1": b}
        for numbers, (a, b) in zip(linear.rows.numeric.tolist(), words.tolist(), strict=True)
    ]
    for body in ({"rows": records}, records):
        answers = call(app(classifier), "POST", "/predict", json=body).json()["predictions"]
        shares = np.array([[a["probabilities"][c] for c in classifier.classes] for a in answers])
        assert np.abs(shares - linear.predict(linear.rows)).max() < 1e-9


def test_large_bodies_are_answered_too(classifier):
    records = [ROW] * 5000
    answers = call(app(classifier), "POST", "/predict", json={"rows": records}).json()["predictions"]
    assert len(answers) == 5000
    assert answers[0] == answers[-1]


def test_regression_rows_come_with_an_interval(regressor):
    body = call(app(regressor), "POST", "/predict", json=ROW).json()
    assert set(body) == {"prediction", "low", "high"}
    assert body["low"] < body["prediction"] < body["high"]
    assert body["high"] - body["low"] == pytest.approx(2 * regressor.half_width())


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({k: v for k, v in ROW.items() if k != "x2"}, 422, "'x2'"),
        ({k: v for k, v in ROW.items() if k != "c1"}, 422, "'c1'"),
        ({"rows": [ROW, {**ROW, "x0": "many"}]}, 422, "Row 1"),
        ({**ROW, "x0": [1]}, 422, "x0"),
        ({**ROW, "x0": {"a": 1}}, 422, "x0"),
        ({**ROW, "c0": ["red"]}, 422, "c0"),
        ({**ROW, "c0": {"a": 1}}, 422, "c0"),
        ({"rows": []}, 422, "empty"),
        ({"rows": [1, 2]}, 422, "Row 0"),
        ([[1, 2]], 422, "Row 0"),
        ([], 422, "empty"),
        ("text", 422, "no row"),
        (None, 422, "no row"),
        (7, 422, "no row"),
        ({}, 422, "lacks"),
    ],
)
def test_rows_that_do_not_fit_are_named(classifier, body, status, words):
    reply = call(app(classifier), "POST", "/predict", content=json.dumps(body))
    assert reply.status_code == status
    assert words in reply.json()["error"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"x0": NaN}', b"[" * 10_000, b'{"a": 1} x'])
def test_bodies_that_are_no_json_are_400(classifier, content):
    reply = call(app(classifier), "POST", "/predict", content=content)
    assert reply.status_code == 400
    assert "JSON" in reply.json()["error"]


def test_huge_numbers_and_unseen_categories_are_answered(classifier):
    reply = call(app(classifier), "POST", "/predict", json={**ROW, "x0": 1e30, "c0": "never seen", "extra": [1]})
    assert reply.status_code == 200
    unknown = call(app(classifier), "POST", "/predict", json={**ROW, "x0": 1e30, "c0": ""})
    assert reply.json() == unknown.json()


def test_numbers_as_text_and_numbers_as_categories(classifier):
    plain = call(app(classifier), "POST", "/predict", json=ROW).json()
    assert call(app(classifier), "POST", "/predict", json={**ROW, "x0": "1.0", "x2": "?"}).json() == plain
    assert call(app(classifier), "POST", "/predict", json={**ROW, "x0": True}).json() == plain


def test_a_body_that_is_too_large_is_413_with_or_without_its_length(classifier):
    small = app(classifier, limits=Limits(body=1000))

    async def chunks():
        for _ in range(50):
            yield b" " * 100

    for content in (b" " * 1001, chunks()):
        reply = call(small, "POST", "/predict", content=content)
        assert reply.status_code == 413
        assert "1000 bytes" in reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("POST", "/health", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/v2/models", 404),
        ("GET", "/predict/", 404),
        ("GET", "/../etc/passwd", 404),
    ],
)
def test_wrong_paths_and_methods(classifier, method, path, status):
    reply = call(app(classifier), method, path)
    assert reply.status_code == status
    assert reply.json()["error"]
    assert ("allow" in reply.headers) == (status == 405)


@pytest.mark.parametrize("value", [1.7e308, -1.7e308])
def test_a_row_without_a_finite_answer_is_refused(classifier, value):
    reply = call(app(classifier), "POST", "/predict", json={"rows": [ROW, {**ROW, "x0": value, "x1": value}]})
    assert (reply.status_code, "row 1" in reply.json()["error"]) == (422, True)


def test_compressed_bodies_are_unpacked_within_the_limit(classifier):
    plain = call(app(classifier), "POST", "/predict", json=ROW).json()
    body = json.dumps(ROW).encode()
    for name, data in [("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))]:
        reply = call(app(classifier), "POST", "/predict", content=data, headers={"content-encoding": name})
        assert reply.json() == plain
    for name, data, status in [
        ("gzip", b"x", 400), ("gzip", gzip.compress(body)[:-9], 400), ("gzip", gzip.compress(body) + b"x", 400),
        ("br", body, 415), ("gzip", gzip.compress(b" " * 10_000), 413),
    ]:  # fmt: skip
        small = app(classifier, limits=Limits(body=1000))
        reply = call(small, "POST", "/predict", content=data, headers={"content-encoding": name})
        assert (reply.status_code, list(reply.json())) == (status, ["error"])


def test_rows_in_the_forms_of_other_servers(classifier):
    expected = call(app(classifier), "POST", "/predict", json={"rows": [ROW, ROW]}).json()
    split = {"columns": [*ROW], "data": [[*ROW.values()]] * 2}
    for body in ({"instances": [ROW, ROW]}, {"dataframe_records": [ROW, ROW]}, {"dataframe_split": split}):
        assert call(app(classifier), "POST", "/predict", json=body).json() == expected
    for wrong in ({"columns": ["x0"], "data": [[1, 2]]}, {"columns": "x0", "data": []}, {"data": [[1]]}):
        reply = call(app(classifier), "POST", "/predict", json={"dataframe_split": wrong})
        assert reply.status_code == 422


def test_health_about_and_metrics(classifier):
    application = app(classifier, watcher=Watch())
    for _ in range(3):
        call(application, "POST", "/predict", json=ROW)
    call(application, "POST", "/predict", content=b"{")
    health = call(application, "GET", "/health").json()
    assert (health["status"], health["model"]) == ("ok", "model")
    assert health["monitor"] == {"state": "watch", "alarms": []}
    assert call(application, "HEAD", "/health").content == b""
    assert call(application, "GET", "/").json()["features"] == list(ROW)
    text = call(application, "GET", "/metrics").text
    for line in (
        'temperance_requests_total{endpoint="/predict",status="200"} 3.0',
        'temperance_requests_total{endpoint="/predict",status="400"} 1.0',
        "temperance_rows_total 3.0",
        "temperance_alarms_total 1.0",
        "temperance_drift_state 1.0",
        'temperance_drift_evidence{channel="feature:x0"} 3.5',
    ):
        assert line in text


def test_the_watcher_sees_the_source_and_the_client_the_adapted(classifier):
    watch = Watch()
    plain = call(app(classifier), "POST", "/predict", json=ROW).json()["probabilities"]
    application = app(classifier, watcher=watch, adapter=Flip())
    sent = call(application, "POST", "/predict", json=ROW).json()["probabilities"]
    assert sent == {"no": plain["yes"], "yes": plain["no"]}
    rows, seen = watch.seen[0]
    assert seen[0].tolist() == list(plain.values())
    assert rows.numeric[0, 3] == 2
    assert call(application, "GET", "/health").json()["adaptation"] == {"state": "adapted"}


def test_a_failure_inside_is_a_500_with_an_error_and_a_log(classifier, caplog):
    class Broken(Watch):
        def observe(self, rows, predictions):
            raise ZeroDivisionError("secret")

    reply = call(app(classifier, watcher=Broken()), "POST", "/predict", json=ROW)
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert "ZeroDivisionError" in caplog.text


def test_too_many_large_requests_get_503(classifier):
    reply = call(app(classifier, limits=Limits(memory=1)), "POST", "/predict", json={"rows": [ROW] * 5000})
    assert reply.status_code == 503
    assert reply.headers["retry-after"] == "1"


def test_a_request_that_outlasts_the_drain_is_told_to_go_elsewhere(classifier):
    application, sent = app(classifier, limits=Limits(small=1)), []
    body = json.dumps({"rows": [ROW]}).encode()
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [], "query_string": b""}

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    async def run():
        application._worker.submit(time.sleep, 0.3)  # the one worker is busy
        task = asyncio.create_task(application(scope, receive, send))
        await asyncio.sleep(0.05)
        application.draining = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
