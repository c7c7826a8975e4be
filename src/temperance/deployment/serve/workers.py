"""Several processes that answer, and this one behind them with the one monitor, the labels and the owner's calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from temperance.deployment.serve.answering import Whose
from temperance.deployment.serve.application import Application
from temperance.deployment.serve.limits import Limits
from temperance.deployment.serve.parts import Level
from temperance.deployment.serve.renewal import Renewal
from temperance.deployment.serve.secured import Secured, tls
from temperance.records.errors import RequestError, SettingError

START_SECONDS = 60.0
RELOAD_SECONDS = 60.0
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Running:
    """A worker, its line, and what it said."""

    process: subprocess.Popen[bytes]
    line: Connection
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    reloaded: asyncio.Future[str] | None = None


class Hub:
    """Starts workers, takes what they answered, answers what they ask, and starts those anew that fall.

    Args:
        application: with monitor, memory of answers and state; it listens to no port.
        listener: that all workers accept from.
        limits: of each worker; connections are shared out among them.
        secured: certificate and key, or None.

    """

    def __init__(
        self, application: Application, listener: socket.socket, limits: Limits, secured: Secured | None
    ) -> None:
        self.application, self.listener, self.limits, self.secured = application, listener, limits, secured
        self.running: list[Running] = []
        self._lock = threading.Lock()  # of the counters, which several lines feed
        self._loop = asyncio.get_running_loop()
        self.stopping = asyncio.Event()

    def start(self) -> Running:
        """Start one worker."""
        mine, theirs = Pipe()
        given = {
            "folder": str(self.application.bundle.folder), "watched": self.application.watcher is not None,
            "limits": asdict(self.limits), "tls": tls(self.secured), "listener": self.listener.fileno(),
            "line": theirs.fileno(),
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "temperance.deployment.serve.worker", json.dumps(given)],
            pass_fds=(self.listener.fileno(), theirs.fileno()),
        )
        theirs.close()
        one = Running(process, mine)
        self.running.append(one)
        threading.Thread(target=self._listen, args=(one,), daemon=True, name=f"worker-{process.pid}").start()
        return one

    async def follow(self, version: str) -> dict[str, Any]:
        """Let all workers serve what lies in the folder now.

        Raises:
            RequestError: status 500; one of them did not, and was ended: it starts anew with the new bundle.

        """
        waiting = []
        for one in self.running:
            one.reloaded = self._loop.create_future()
            waiting.append(one.reloaded)
            with contextlib.suppress(OSError):
                one.line.send(("reload", version))
        done, late = await asyncio.wait(waiting, timeout=RELOAD_SECONDS) if waiting else (set(), set())
        faults = [future.result() for future in done if future.result()] + ["it did not answer"] * len(late)
        if faults:
            raise RequestError(f"{len(faults)} workers did not follow: {faults[0]}", "", "Ask again", status=500)
        return {"workers": len(self.running)}

    async def watch(self) -> None:
        """Start fallen workers anew until the server stops."""
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 0.5)
            for one in [one for one in self.running if one.process.poll() is not None]:
                self.running.remove(one)
                if not self.stopping.is_set():
                    log.error("a worker ended with status %s; another takes its place", one.process.returncode)
                    self.start()

    async def end(self) -> None:
        """Let workers answer what is under way, then end them."""
        for one in self.running:
            with contextlib.suppress(OSError):
                one.process.terminate()
        for one in self.running:
            try:
                await asyncio.to_thread(one.process.wait, self.limits.drain_seconds + 5)
            except subprocess.TimeoutExpired:
                one.process.kill()

    def _listen(self, one: Running) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                kind, *rest = one.line.recv()
                if kind == "seen":
                    self._seen(*rest)
                elif kind == "ask":
                    asyncio.run_coroutine_threadsafe(self._asked(one, *rest), self._loop)
                elif kind == "ready":
                    self._loop.call_soon_threadsafe(one.ready.set)
                elif kind == "reloaded":
                    self._loop.call_soon_threadsafe(_settle, one, rest[1])

    def _seen(self, version: str, batch: Any, counts: Any, dropped: int) -> None:
        answering, metrics = self.application.answering, self.application.metrics
        with self._lock:
            for (endpoint, status), (count, seconds) in (counts[0] if counts else {}).items():
                metrics.request(endpoint, status, seconds=seconds, count=int(count))
            for rows, seconds, requests in counts[1] if counts else ():
                metrics.prediction(rows, seconds, requests=requests)
            if dropped:
                metrics.unseen(dropped)
        if batch is None:
            return
        rows, source, idents = batch
        if version != answering.bundle.version:  # of the bundle before a reload
            metrics.unseen(rows.size)
            return
        answering.seen(rows, source, [Whose(*one) for one in idents])

    async def _asked(
        self, one: Running, number: int, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
        await self.application(scope, receive, send)
        given = dict(sent[0]["headers"])
        kind = given.pop(b"content-type").decode()
        kept = tuple((k, v) for k, v in given.items() if k not in (b"content-length", b"x-request-id"))
        with contextlib.suppress(OSError):
            one.line.send(("answer", number, (sent[0]["status"], sent[1]["body"], kind, kept)))


async def _all_ready(started: Sequence[Running]) -> None:
    for one in started:
        await one.ready.wait()


def _settle(one: Running, fault: str) -> None:
    if one.reloaded is not None and not one.reloaded.done():
        one.reloaded.set_result(fault)


def run_workers(
    application: Application, listener: socket.socket, count: int, *, level: Level, limits: Limits,
    secured: Secured | None, announce: Callable[[], None] | None,
) -> None:  # fmt: skip
    """Serve with ``count`` workers until Ctrl-C or SIGTERM.

    Raises:
        SettingError: at level ``adapt``, whose changed answers one process must give; or on Windows.

    """
    if level == "adapt":
        raise SettingError(
            f"--workers {count} at level adapt", "one worker there: its answers change with what it has seen",
            "Use --level shadow with several, or --workers 1",
        )  # fmt: skip
    if sys.platform == "win32":
        raise SettingError(f"--workers {count} on Windows", "one worker there", "Use --workers 1")
    asyncio.run(_run(application, listener, count, limits, secured, announce))


async def _run(
    application: Application, listener: socket.socket, count: int, limits: Limits, secured: Secured | None,
    announce: Callable[[], None] | None,
) -> None:  # fmt: skip
    hub = Hub(application, listener, limits, secured)
    if isinstance(application.renew, Renewal):
        application.renew.others = hub.follow
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, hub.stopping.set)
    started = [hub.start() for _ in range(count)]
    saving = asyncio.create_task(application.save_often())
    try:
        ready = asyncio.create_task(_all_ready(started))
        stop = asyncio.create_task(hub.stopping.wait())
        await asyncio.wait([ready, stop], timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if announce is not None and ready.done():
            announce()
        await hub.watch()
    finally:
        application.draining = True
        await hub.end()
        saving.cancel()
        application.close()
