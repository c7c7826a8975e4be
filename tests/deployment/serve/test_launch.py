"""The server as a process of its own: it answers, and loads no torch."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.serve.launch import run, served
from temperance.deployment.write import Extras, write_bundle
from temperance.monitoring import reference
from temperance.records.errors import SettingError

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
FORBIDDEN = ("torch", "polars", "sklearn", "onnx", "scipy", "optuna", "jinja2", "temperance.core")
SERVE = f"""
import sys
from temperance.deployment.serve import run
said = lambda text: print(text, flush=True)
try:
    run(sys.argv[1], port=0, level=sys.argv[2], announce=said)
finally:
    said("loaded " + " ".join(name for name in {FORBIDDEN} if name in sys.modules))
"""


@pytest.fixture(scope="module")
def folder(linear, binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "b"
    normal = reference.build(linear.rows, linear.predict(linear.rows), binary, target=linear.target)
    part = basic_part(linear.fitted, binary)
    extras = Extras(reference=normal)
    write_bundle(folder, part=part, schema=binary, predictor=linear, rows=linear.rows, extras=extras)
    return folder


def get(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("level", ["observe", "adapt"])
def test_a_served_bundle_answers_and_loads_no_torch(folder, level):
    command = [sys.executable, "-c", SERVE, str(folder), level]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://\S+", server.stdout.readline())[0]
        for _ in range(70):
            status, body = get(f"{address}/predict", ROW)
            assert status == 200
        assert set(json.loads(body)["probabilities"]) == {"no", "yes"}
        assert get(f"{address}/predict", {"x0": 1})[0] == 422
        health = json.loads(get(f"{address}/health")[1])
        assert health["monitor"]["rows"] == 70
        assert health["monitor"]["average_run_length"] >= 100_000
        assert (health["adaptation"] is not None) == (level == "adapt")
        assert b"temperance_rows_total 70.0" in get(f"{address}/metrics")[1]
        assert get(f"{address}/v2/health/ready") == (200, b'{"ready":true}')
    finally:
        server.send_signal(signal.SIGINT)
        said, errors = server.communicate(timeout=20)
    assert said.strip() == "loaded", said
    assert (server.returncode, errors) == (0, "")


def test_an_address_in_use_is_named(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"cannot listen on 127.0.0.1:{port}"):
            run(folder, port=port, announce=None)
    with pytest.raises(SettingError, match="cannot listen"):
        run(folder, port=70_000, announce=None)


def test_levels_decide_what_is_watched(folder, kit, regression, tmp_path):
    from temperance.deployment.bundle import load

    bundle = load(folder)
    assert served(bundle, level="off").watcher is None
    assert served(bundle).watcher is not None
    assert served(bundle).adapter is None
    assert served(bundle, level="shadow").adapter.summary()["level"] == "shadow"
    model = kit.Fitted("majority", regression)
    normal = reference.build(model.rows, model.predict(model.rows), regression, target=model.target)
    other = write_bundle(
        tmp_path / "r", part=basic_part(model.fitted, regression), schema=regression, predictor=model,
        rows=model.rows, extras=Extras(reference=normal),
    )  # fmt: skip
    assert served(other).watcher is not None
    assert served(other, level="adapt").adapter.unlabelled is None
    blind = reference.build(model.rows, model.predict(model.rows), regression)
    third = write_bundle(
        tmp_path / "t", part=basic_part(model.fitted, regression), schema=regression, predictor=model,
        rows=model.rows, extras=Extras(reference=blind),
    )  # fmt: skip
    with pytest.raises(SettingError, match="in its reference"):
        served(third, level="adapt")
