"""A server at 80 % of what it can do, with 64 connections: errors, tail, memory.

    OMP_NUM_THREADS=1 python benchmarks/serving_load.py [--seconds 120] [--connections 64] [--workers 1]

Two processes on this machine: the server, and a client that keeps all connections. First the capacity: every connection
sends its next request as soon as the last one is answered, for ``--warm`` seconds. Then every connection sends on a
clock of its own, together 80 % of that rate, for ``--seconds``; a request's time counts from when it was due, so that a
server that stalls is charged for all that waited. Targets: no error, p99 at most 10 times p50, memory grows by at most
5 MB. Client and server share the machine with whatever else runs: the load average is in the record,
benchmarks/records/serving_load.json, to which each run is added.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from serving import bundle, request

from temperance import __version__

FILL = 25_000
RECORD = Path(__file__).parent / "records" / "serving_load.json"
SERVE = (
    "import sys; from temperance.deployment.serve import run, gather; gather.PROBE = int(sys.argv[4]);"
    "run(sys.argv[1], port=0, level=sys.argv[2], workers=int(sys.argv[3]), announce=lambda t: print(t, flush=True))"
)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bool:
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    await reader.readexactly(int(length[1]))
    return head.startswith(b"HTTP/1.1 200")


async def closed(port: int, connections: int, bodies: list[bytes], seconds: float) -> tuple[float, int]:
    """Return requests per second, and how many, where nobody waits between two requests."""
    until, count = time.perf_counter() + seconds, 0

    async def one(number: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.perf_counter() < until:
            await exchange(reader, writer, bodies[(number + done) % len(bodies)])
            done += 1
        writer.close()
        return done

    began = time.perf_counter()
    count = sum(await asyncio.gather(*(one(i) for i in range(connections))))
    return count / (time.perf_counter() - began), count


async def paced(port: int, connections: int, bodies: list[bytes], seconds: float, rate: float) -> dict[str, Any]:
    """Send ``rate`` requests a second over all connections; times count from when a request was due."""
    gap, times, wrong = connections / rate, [], [0]
    start = time.perf_counter() + 0.2

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = 0
        while True:
            due = start + number * gap / connections + sent * gap
            if due >= start + seconds:
                break
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            try:
                wrong[0] += not await exchange(reader, writer, bodies[(number + sent) % len(bodies)])
            except (OSError, asyncio.IncompleteReadError):
                wrong[0] += 1
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            times.append(time.perf_counter() - due)
            sent += 1
        writer.close()

    await asyncio.gather(*(one(i) for i in range(connections)))
    p50, p90, p99, p999 = (1000 * np.quantile(times, [0.5, 0.9, 0.99, 0.999])).round(3).tolist()
    return {"requests": len(times), "errors": wrong[0], "ms_p50_p90_p99_p999": [p50, p90, p99, p999],
            "p99_over_p50": round(p99 / p50, 1), "ms_max": round(1000 * max(times), 1)}  # fmt: skip


def run_closed(port: int, connections: int, bodies: list[bytes], seconds: float) -> tuple[float, int]:
    return asyncio.run(closed(port, connections, bodies, seconds))


def run_paced(port: int, connections: int, bodies: list[bytes], seconds: float, rate: float) -> dict[str, Any]:
    return asyncio.run(paced(port, connections, bodies, seconds, rate))


def resident(pid: int) -> float:
    """Return MB of 2²⁰ bytes of a process and its children."""
    process = psutil.Process(pid)
    return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 2**20


def busy(pid: int) -> float:
    """Return the CPU seconds of a process and its children."""
    process = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children(recursive=True)])


def measure(given: argparse.Namespace, port: int, pid: int, bodies: list[bytes]) -> dict[str, Any]:
    with ProcessPoolExecutor(1) as pool:
        sent = 0
        while sent < FILL:  # until the memory of answers by id is full, so that it does not count as growth
            sent += pool.submit(run_closed, port, given.connections, bodies, 5.0).result()[1]
        spent = busy(pid)
        capacity, sent = pool.submit(run_closed, port, given.connections, bodies, given.warm).result()
        closed_us = round(1e6 * (busy(pid) - spent) / sent, 1)
        rate = given.share * capacity
        if given.seconds <= 0:
            return {"capacity_per_second": round(capacity), "server_cpu_us_per_request_at_capacity": closed_us,
                    "load_average": round(os.getloadavg()[0], 1)}  # fmt: skip
        pool.submit(run_paced, port, given.connections, bodies, 5.0, rate).result()
        before, held = resident(pid), []
        cpu = busy(pid)
        running = pool.submit(run_paced, port, given.connections, bodies, given.seconds, rate)
        while not running.done():
            held.append(resident(pid))
            time.sleep(1.0)
        found = running.result()
        spent = busy(pid) - cpu
    return {
        "capacity_per_second": round(capacity), "rate_per_second": round(rate), **found,
        "server_cpu_us_per_request_at_capacity": closed_us,
        "server_cpu_us_per_request": round(1e6 * spent / found["requests"], 1),
        "memory_mb_before_after_most": [round(before, 1), round(held[-1], 1), round(max(held), 1)],
        "memory_growth_mb": round(held[-1] - before, 1), "load_average": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--warm", type=float, default=10)
    parser.add_argument("--share", type=float, default=0.8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--level", default="observe")
    parser.add_argument("--model", default="tabular")
    parser.add_argument("--alone", action="store_true", help="requests do not share runs of the graph")
    parser.add_argument("--note", default="")
    parser.add_argument("--out", type=Path, default=RECORD)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = bundle(Path(name) / "b", "small", given.model)
        bodies = [request(row) for row in rows]
        command = [sys.executable, "-c", SERVE, str(Path(name) / "b"), given.level, str(given.workers),
                   str(10**9 if given.alone else 16)]  # fmt: skip
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port = int(re.findall(r"http://[\d.]+:(\d+)", server.stdout.readline())[0])
            figures = measure(given, port, server.pid, bodies)
        finally:
            server.terminate()
            server.wait(timeout=60)
    record = {
        "command": " ".join(["python benchmarks/serving_load.py", *sys.argv[1:]]), "temperance": __version__,
        "python": platform.python_version(), "cores": os.cpu_count(), "model": given.model, "level": given.level,
        "workers": given.workers, "shared_runs": not given.alone, "note": given.note, "seconds": given.seconds,
        **figures,
        "exit": server.returncode,
    }  # fmt: skip
    print(json.dumps(record, indent=1))
    runs = json.loads(given.out.read_text())["runs"] if given.out.exists() else []
    given.out.write_text(json.dumps({"runs": [*runs, record]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
