"""A worker's line to the process that all workers share: what was answered goes there, questions and answers pass."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.serve.metrics import Tally
from temperance.records.errors import RequestError
from temperance.records.schema import Rows
from temperance.records.verdict import Verdict

FLUSH_SECONDS = 0.05
FLUSH_ROWS = 256
MOST_PARCELS = 256  # that may wait to be sent; then rows are dropped and counted, and no request waits
PATIENCE = 30.0
Answer = tuple[int, bytes, str, tuple[tuple[bytes, bytes], ...]]


class Line:
    """Watcher, memory of answers and metrics of a worker's ``Application``, and the way to what all workers share.

    Nothing here waits for the other side: parcels are sent by a thread.

    Args:
        connection: a pipe.
        version: of the served bundle; the other side leaves out what another version answered.
        reload: told the version that the worker is to serve.
        ended: called when the other side is gone.

    """

    def __init__(
        self, connection: Connection, version: str, *, reload: Callable[[str], Any], ended: Callable[[], None]
    ) -> None:
        self.connection, self.version, self._reload, self._ended = connection, version, reload, ended
        self.metrics = Counts()
        self._rows: list[tuple[Rows, NDArray[Any]]] = []
        self._idents: list[tuple[str, int, bool]] = []
        self._held = self._dropped = self._asked = 0
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._parcels: queue.Queue[Any] = queue.Queue(MOST_PARCELS)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flushing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send and to listen; within the worker's loop."""
        self._loop = asyncio.get_running_loop()
        self._flushing = self._loop.create_task(self._flush_often())
        threading.Thread(target=self._send, daemon=True, name="line-out").start()
        threading.Thread(target=self._listen, daemon=True, name="line-in").start()
        self._put(("ready", self.version))

    def stop(self) -> None:
        """Send what is left and end."""
        if self._flushing is not None:
            self._flushing.cancel()
        self.flush()
        self._parcels.put(None)

    def add(
        self, ident: str, predictions: NDArray[Any], tickets: NDArray[np.int64] | None = None, *, more: bool = False
    ) -> None:  # fmt: skip
        """Remember whose answers the last rows of ``observe`` were; the adapter's tickets are given on the other side.

        Shapes: predictions (b, c) or (b,), tickets (b,).
        """
        self._idents.append((ident, len(predictions), more))

    def observe(self, rows: Rows, predictions: NDArray[Any]) -> Sequence[Verdict]:
        """Take rows for the monitor on the other side; what it says is not heard here.

        Shapes: predictions (b, c) or (b,).
        """
        self._rows.append((rows, predictions))
        self._held += rows.size
        if self._held >= FLUSH_ROWS:
            self._flush_soon()
        return ()

    def summary(self) -> dict[str, Any]:
        """Return nothing: ``/health`` is answered by the other side."""
        return {"state": "calm", "alarms": []}

    async def ask(self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> Answer:
        """Let the other side answer a request.

        Raises:
            RequestError: status 503; it does not answer.

        """
        self.flush()
        self._asked += 1
        number = self._asked
        future = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        try:
            if not self._put(("ask", number, method, path, list(headers), body)):
                raise TimeoutError
            return await asyncio.wait_for(future, PATIENCE)
        except TimeoutError as error:
            raise RequestError("the process that watches does not answer", "", "Ask again", status=503) from error
        finally:
            self._answers.pop(number, None)

    def flush(self) -> None:
        """Put what was gathered on its way."""
        taken, idents, self._rows, self._idents, self._held = self._rows, self._idents, [], [], 0
        counts = self.metrics.taken()
        if not taken and not counts:
            return
        batch = None
        if taken:
            parts, answers = zip(*taken, strict=True)
            batch = (Rows.stack(list(parts)), np.concatenate(answers), idents)
        if not self._put(("seen", self.version, batch, counts, self._dropped)):
            self._dropped += sum(part.size for part, _ in taken)
            return
        self._dropped = 0

    def _flush_soon(self) -> None:
        """Flush after the requests that are being answered; rows of large bodies come from a thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.flush)

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self.flush()

    def _put(self, parcel: Any) -> bool:
        with contextlib.suppress(queue.Full):
            self._parcels.put_nowait(parcel)
            return True
        return False

    def _send(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while (parcel := self._parcels.get()) is not None:
                self.connection.send(parcel)
        with contextlib.suppress(OSError):
            self.connection.close()

    def _listen(self) -> None:
        assert self._loop is not None
        with contextlib.suppress(OSError, EOFError, TypeError):  # TypeError: it was closed while it was read
            while True:
                kind, *rest = self.connection.recv()
                if kind == "answer":
                    self._loop.call_soon_threadsafe(self._answered, *rest)
                elif kind == "reload":
                    asyncio.run_coroutine_threadsafe(self._reloaded(*rest), self._loop)
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            self._loop.call_soon_threadsafe(self._ended)

    def _answered(self, number: int, answer: Answer) -> None:
        future = self._answers.get(number)
        if future is not None and not future.done():
            future.set_result(answer)

    async def _reloaded(self, version: str) -> None:
        fault = ""
        try:
            await self._reload(version)
            self.flush()
            self.version = version
        except Exception as error:
            fault = str(error)
        self._put(("reloaded", version, fault))


class Counts:
    """What ``Metrics`` counts, gathered until it is sent."""

    def __init__(self) -> None:
        self.rows = 0
        self.tally = Tally()
        self._requests: dict[tuple[str, int], list[float]] = {}
        self._predictions: list[tuple[int, float, int]] = []

    def request(self, endpoint: str, status: int, *, seconds: float = 0.0, count: int = 1) -> None:
        """Count requests."""
        known = self._requests.setdefault((endpoint, status), [0, 0.0])
        known[0] += count
        known[1] += seconds

    def prediction(self, rows: int, seconds: float, *, requests: int = 1) -> None:
        """Count rows and the time of a run."""
        self.rows += rows
        self._predictions.append((rows, seconds, requests))

    def alarms(self, count: int) -> None:
        """Count nothing: alarms are found on the other side."""

    def serves(self, model: str, version: str) -> None:
        """Count on: the other side names the model."""

    def taken(self) -> tuple[dict[tuple[str, int], list[float]], list[tuple[int, float, int]]] | None:
        """Return what was counted since the last time, or None."""
        if not self._requests and not self._predictions:
            return None
        found = self._requests, self._predictions
        self._requests, self._predictions = {}, []
        return found
