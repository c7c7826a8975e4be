"""Several processes, one monitor: through HTTP, as a client and an owner see it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.serve.launch import run
from temperance.deployment.write import Extras, write_bundle
from temperance.monitoring import reference
from temperance.records.errors import SettingError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="one worker there")
ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
SERVE = """
import sys
from temperance.deployment.serve import run
run(sys.argv[1], port=0, level="observe", state=sys.argv[2], token="t", workers=2,
    announce=lambda text: print(text, flush=True))
print("ended", "torch" in sys.modules, flush=True)
"""


def written(folder, model, schema):
    normal = reference.build(model.rows, model.predict(model.rows), schema, target=model.target)
    write_bundle(folder, part=basic_part(model.fitted, schema), schema=schema, predictor=model, rows=model.rows,
                 extras=Extras(reference=normal))  # fmt: skip
    return folder


def get(url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.fixture
def server(linear, binary, tmp_path):
    folder = written(tmp_path / "b", linear, binary)
    command = [sys.executable, "-c", SERVE, str(folder), str(tmp_path / "state")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address = re.search(r"http://[\d.:]+", process.stdout.readline())[0]
    yield process, address, folder
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    said, errors = process.communicate(timeout=30)
    assert (process.returncode, said.strip()) == (0, "ended False"), errors


def children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return {int(word) for word in found.split()}


def settled(address, rows):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        health = get(f"{address}/health")[1]
        if health["monitor"]["rows"] >= rows:
            return health
        time.sleep(0.05)
    return health


def test_one_monitor_sees_all_labels_find_their_answers_and_a_fallen_worker_is_replaced(server):
    process, address, _ = server
    for i in range(120):
        assert get(f"{address}/predict", ROW, X_Request_ID=f"r{i}")[0] == 200
    health = settled(address, 120)
    assert health["monitor"]["rows"] == 120
    assert get(f"{address}/v2/models/stats")[1]["model_stats"][0]["inference_count"] == 120
    status, told = get(f"{address}/admin/labels", {"labels": [{"id": "r7", "label": "yes"}]}, Authorization="Bearer t")
    assert (status, told["taken"]) == (200, 1)
    assert get(f"{address}/admin/report")[0] == 401
    before = children(process.pid)
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    until = time.monotonic() + 15
    while time.monotonic() < until and len(children(process.pid) - before) < 1:
        time.sleep(0.1)
    time.sleep(1.0)
    for _ in range(20):
        assert get(f"{address}/predict", ROW)[0] == 200
    assert settled(address, 140)["monitor"]["rows"] == 140


def test_all_workers_follow_a_reload(server, kit, binary):
    _, address, folder = server
    before = get(f"{address}/v2/models/model")[1]["versions"]
    written(folder, kit.Fitted("majority", binary), binary)
    status, told = get(f"{address}/admin/reload", {}, Authorization="Bearer t")
    assert (status, told.get("workers")) == (200, 2), told
    versions = {tuple(get(f"{address}/v2/models/model")[1]["versions"]) for _ in range(20)}
    assert versions == {(told["version"],)}
    assert told["before"] == before[0]


def test_level_adapt_takes_one_worker(linear, binary, tmp_path):
    folder = written(tmp_path / "b", linear, binary)
    with pytest.raises(SettingError, match="--workers 2 at level adapt"):
        run(folder, port=0, level="adapt", workers=2, announce=None)
