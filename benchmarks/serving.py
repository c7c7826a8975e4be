"""CPU time per request and memory of the server, for small models, with and without its monitor.

A server process per cell on a free port of this machine; one client, one connection, requests one after another. CPU is
user + system time of the server process over ``--requests`` requests, memory its resident set afterwards. Finished
cells are kept. Targets: at most 400 µs for a small table model with the monitor, at most 150 MB.

Run: python benchmarks/serving.py [--requests 4000] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

COLUMNS = {"small": (10, 4), "wide": (60, 20)}
MODELS = ("linear", "boosting", "tabular")
SERVE = (
    "import sys; from temperance.deployment.serve import run;"
    "run(sys.argv[1], port=0, level=sys.argv[2], announce=lambda text: print(text, flush=True))"
)


def bundle(folder: Path, size: str, model: str) -> list[dict[str, Any]]:
    """Fit a model on generated rows, write its bundle, and return rows as JSON objects."""
    from temperance import deployment
    from temperance.models.basic import BASIC
    from temperance.monitoring import reference
    from temperance.records.schema import Column, Rows, Schema, Target

    n, m = COLUMNS[size]
    random = np.random.default_rng(0)
    words = tuple(f"word {i}" for i in range(12))
    columns = tuple(Column(f"x{j}", "numeric", f"x{j}") for j in range(n))
    columns += tuple(Column(f"c{j}", "categorical", f"c{j}", vocabulary=words) for j in range(m))
    schema = Schema(columns, Target("y", "binary", ("no", "yes")))
    numeric = np.where(random.random((2000, n)) < 0.05, np.nan, random.normal(size=(2000, n)))
    rows = Rows(numeric, random.integers(-1, 12, (2000, m)).astype(np.int32))
    target = (np.nan_to_num(numeric[:, 0]) + (rows.categorical[:, 0] > 5) + random.normal(size=2000) > 0.5).astype(int)
    if model == "tabular":
        part, predictor = net(schema, rows, target)
    else:
        predictor = BASIC[model]().fit(rows, target, schema=schema, valid=(rows, target))
        part = deployment.basic_part(predictor, schema)
    normal = reference.build(rows, predictor.predict(rows), schema, target=target)
    extras = deployment.Extras(reference=normal)
    deployment.write_bundle(folder, part=part, schema=schema, predictor=predictor, rows=rows, extras=extras)
    strings = schema.decode(rows.categorical)
    return [
        {f"x{j}": None if np.isnan(v) else float(v) for j, v in enumerate(numbers)}
        | {f"c{j}": v or None for j, v in enumerate(text)}
        for numbers, text in zip(numeric[:500], strings[:500], strict=True)
    ]


def net(schema: Any, rows: Any, target: Any) -> tuple[Any, Any]:
    """Return the default net (weights as drawn: its cost does not depend on them) as part and predictor."""
    import torch

    from temperance.data.preprocess import Preprocess
    from temperance.deployment import Network
    from temperance.models import ModelInfo, build
    from temperance.models.loss import combine
    from temperance.records.table import Table

    fitted = Preprocess.fit(Table(schema, rows, target))
    info = ModelInfo(fitted.width, fitted.cardinalities, 2, "binary", None, rows.size)
    module = build("tabular", info, 0).eval()

    class Trained:
        def predict(self, part: Any) -> Any:
            features = fitted.transform(part)
            with torch.no_grad():
                outputs = module(torch.from_numpy(features.numeric), torch.from_numpy(features.categorical))
            return combine(outputs.double(), task="binary").numpy()

    return Network.of(module, fitted, schema), Trained()


def cell(size: str, model: str, level: str, count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        records = bundle(Path(folder) / "b", size, model)
        command = [sys.executable, "-c", SERVE, str(Path(folder) / "b"), level]
        begin = time.perf_counter()
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            found = re.search(r"http://([\d.]+):(\d+)", server.stdout.readline() if server.stdout else "")
            if found is None:
                raise RuntimeError("the server did not start")
            started = time.perf_counter() - begin
            process = psutil.Process(server.pid)
            with socket.create_connection((found[1], int(found[2]))) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                figures = load(client, process, records, count)
        finally:
            server.terminate()
            server.wait(timeout=20)
    return {**figures, "start_wall_s": round(started, 2)}


def load(client: socket.socket, process: psutil.Process, records: list[dict[str, Any]], count: int) -> dict[str, Any]:
    single = [request(record) for record in records]
    many = [request({"rows": records[:256]})]
    for data in single[:200]:
        exchange(client, data)
    figures: dict[str, Any] = {}
    for name, requests, repeats in (("one_row", single, count), ("rows_256", many, max(20, count // 50))):
        before, walls = sum(process.cpu_times()[:2]), []
        for i in range(repeats):
            begin = time.perf_counter()
            exchange(client, requests[i % len(requests)])
            walls.append(time.perf_counter() - begin)
        cpu = sum(process.cpu_times()[:2]) - before
        figures[name] = {
            "requests": repeats,
            "cpu_us_per_request": round(cpu / repeats * 1e6, 1),
            "wall_us_p50": round(float(np.quantile(walls, 0.5)) * 1e6, 1),
            "wall_us_p99": round(float(np.quantile(walls, 0.99)) * 1e6, 1),
        }
    figures["memory_mb"] = round(process.memory_info().rss / 2**20, 1)
    return figures


def request(body: Any) -> bytes:
    data = json.dumps(body).encode()
    return b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)


def exchange(client: socket.socket, data: bytes) -> None:
    client.sendall(data)
    reply = client.recv(65536)
    head, _, body = reply.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(reply[:300].decode())
    length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
    while len(body) < length:
        body += client.recv(65536)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "records" / "serving")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    import onnxruntime
    import uvicorn

    for size in COLUMNS:
        for model in MODELS:
            for level in ("off", "observe"):
                path = options.out / f"{size}-{model}-{level}.json"
                if not path.exists():
                    record = {
                        "command": f"python benchmarks/serving.py --requests {options.requests}",
                        "seed": 0,
                        "python": platform.python_version(),
                        "versions": {m.__name__: m.__version__ for m in (onnxruntime, uvicorn, np)},
                        "columns": dict(zip(("numeric", "categorical"), COLUMNS[size], strict=True)),
                        "load_average": list(psutil.getloadavg()),
                        "figures": cell(size, model, level, options.requests),
                        "not_verified": "wall times: the machine was shared; more than one client",
                    }
                    path.write_text(json.dumps(record, indent=1) + "\n")
                print(size, model, level, json.loads(path.read_text())["figures"])


if __name__ == "__main__":
    main()
