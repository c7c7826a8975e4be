"""Small requests beside clients that do not finish: latency and memory of the server.

    python benchmarks/slow_clients.py [--seconds 20] [--connections 1000] [--bodies 200]

One server process; beside it, from this process: ``--connections`` that send one letter of a header a second (half of
them) or nothing at all, opened again once the server lets go; ``--bodies`` that announce 15 MiB, send half of it and
stop, opened again five seconds after; then bodies of 15 MiB that are whole, 80 at once, each again after a second.
Meanwhile one client, a process of its own, sends small requests one after another and asks ``/health``. Targets: p99
at most 100 ms, memory at most 300 MB: resident, the process for large bodies included. All share the machine with
whatever else runs: its load average is in the record, benchmarks/records/slow_clients.json, to which each run is added.
The first scene is the same without the other clients.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from serving import SERVE, bundle

from temperance import __version__

RECORD = Path(__file__).parent / "records" / "slow_clients.json"
LARGE = 15 * 2**20


async def drip(port: int, *, silent: bool) -> None:
    """Hold a connection with a header that never ends, for ever."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while not reader.at_eof():
                    if not silent:
                        writer.write(b"P")
                        await writer.drain()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(1):
                            await reader.read(4096)
            finally:
                writer.close()
        await asyncio.sleep(0.2)


async def half(port: int, body: bytes) -> None:
    """Announce a large body, send half of it, and stop; for ever."""
    head = b"POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body)
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(head)
                for i in range(0, len(body) // 2, 2**16):
                    writer.write(body[i : i + 2**16])
                    await writer.drain()
                await reader.read()
            finally:
                writer.close()
        await asyncio.sleep(5)


async def whole(port: int, body: bytes, counts: dict[str, int]) -> None:
    """Send a large body; when the server is busy, again after a second."""
    while True:
        status = "closed"
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"POST /predict HTTP/1.1\r\nhost: a\r\nconnection: close\r\n")
                writer.write(b"content-length: %d\r\n\r\n" % len(body))
                for i in range(0, len(body), 2**16):
                    writer.write(body[i : i + 2**16])
                    await writer.drain()
                status = (await reader.readuntil(b"\r\n")).split()[1].decode()
                await reader.read()
            finally:
                writer.close()
        counts[status] = counts.get(status, 0) + 1
        await asyncio.sleep(1)


async def ask(port: int, row: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Send small requests one after another; return their latencies."""
    body = json.dumps(row).encode()
    post = b"POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    get = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found: dict[str, list[float]] = {"predict": [], "health": []}
    wrong, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        for name, request in (("predict", post), ("health", get)):
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            await reader.readexactly(int(length[1]))
            found[name].append(1000 * (time.perf_counter() - began))
            wrong += b" 200 " not in head[:20]
            await asyncio.sleep(0.005)
    writer.close()
    percent = {name: np.percentile(values, [50, 99, 100]).round(2).tolist() for name, values in found.items()}
    return {"requests": sum(map(len, found.values())), "not_200": wrong,
            **{f"{name}_ms_p50_p99_max": values for name, values in percent.items()}}  # fmt: skip


async def scene(pool: Executor, at: tuple[int, int], row: Any, seconds: float, others: list[Any]) -> dict[str, Any]:
    pid, port = at
    tasks = [asyncio.create_task(one) for one in others]
    await asyncio.sleep(4 if tasks else 0)
    most, process = 0, psutil.Process(pid)
    asking = asyncio.get_running_loop().run_in_executor(pool, asked, port, row, seconds)
    held = []
    while not asking.done():
        most = max(most, sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]))
        held.append(process.num_fds())
        await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {**asking.result(), "memory_mb": round(most / 2**20, 1), "open_files_median": int(np.median(held)),
            "load_average": round(os.getloadavg()[0], 1)}  # fmt: skip


def asked(port: int, row: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Ask from a process of its own, so that the other clients' work here is not counted."""
    return asyncio.run(ask(port, row, seconds))


async def scenes(pid: int, port: int, rows: list[dict[str, Any]], given: argparse.Namespace) -> list[dict[str, Any]]:
    text = json.dumps(rows[0])
    large = ('{"rows": [' + ", ".join([text] * (LARGE // (len(text) + 2))) + "]}").encode()
    counts: dict[str, int] = {}
    plan = {
        "alone": [],
        f"{given.connections} slow or silent connections": [
            drip(port, silent=i % 2 == 0) for i in range(given.connections)
        ],
        f"{given.bodies} half-sent bodies of 15 MiB": [half(port, large) for _ in range(given.bodies)],
        "both": [drip(port, silent=i % 2 == 0) for i in range(given.connections)]
        + [half(port, large) for _ in range(given.bodies)],
        "80 whole bodies of 15 MiB": [whole(port, large, counts) for _ in range(80)],
    }
    found = []
    with ProcessPoolExecutor(1) as pool:
        for name, others in plan.items():
            one = await scene(pool, (pid, port), rows[0], given.seconds, others)
            found.append({"scene": name, **one})
            print(json.dumps(found[-1]), flush=True)
            await asyncio.sleep(1)
    found[-1]["answers_to_large"] = counts
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--bodies", type=int, default=200)
    parser.add_argument("--out", type=Path, default=RECORD)
    given = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as name:
        rows = bundle(Path(name) / "b", "small", "linear")
        command = [sys.executable, "-c", SERVE, str(Path(name) / "b"), "observe"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port = int(re.findall(r"http://[\d.]+:(\d+)", server.stdout.readline())[0])
            found = asyncio.run(scenes(server.pid, port, rows, given))
        finally:
            began = time.monotonic()
            server.terminate()
            server.wait(timeout=60)
    record = {
        "command": " ".join(["python benchmarks/slow_clients.py", *sys.argv[1:]]), "temperance": __version__,
        "python": platform.python_version(), "cores": os.cpu_count(), "scenes": found,
        "seconds_to_stop": round(time.monotonic() - began, 2), "exit": server.returncode,
    }  # fmt: skip
    runs = json.loads(given.out.read_text())["runs"] if given.out.exists() else []
    given.out.write_text(json.dumps({"runs": [*runs, record]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
