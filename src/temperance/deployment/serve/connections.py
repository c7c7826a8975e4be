"""uvicorn's connections with deadlines: who does not finish its request or take its answer is let go."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
import time
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from temperance.deployment.serve.application import Application
from temperance.deployment.serve.limits import Limits

SWEEP_SECONDS = 0.5
AT_ONCE, CLOSING = 400, 20  # looks at connections between two turns of the loop; what closing one counts for
ACCEPTED = 16  # connections that are accepted in one turn: setting one up takes 0.1 ms
BACKLOG = 2048  # connections that wait to be accepted
DRAIN_PAUSE = 0.1  # seconds between two reads of a body that was refused
SWITCH_SECONDS = 0.001  # that a thread may keep the interpreter from the loop; Python's own 0.005 add up
FOREVER = float("inf")


class Connection(HttpToolsProtocol):  # type: ignore[misc]  # uvicorn tells no types here
    """One connection; ``limits`` is set by ``protocol``."""

    limits = Limits()

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request; where there are too many, let the one go that has waited longest."""
        super().connection_made(transport)
        self._waiting, self._head_bytes, self._head_size, self._refused = True, 0, 0, False
        self._deadline = time.monotonic() + self.limits.head_seconds
        self._unsent, self._unsent_since = 0, FOREVER
        if len(self.connections) > self.limits.connections:
            others = [c for c in self.connections if isinstance(c, Connection) and c._waiting and c is not self]
            oldest = min(others, key=lambda c: c._deadline, default=self)
            oldest.refuse(503, "the server has too many connections", retry=True)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a head that does not end is refused."""
        if self.transport.is_closing():
            return
        if self._waiting and self._deadline == FOREVER:  # the first bytes on a connection that was idle
            self._deadline = time.monotonic() + self.limits.head_seconds
        super().data_received(data)
        if self._waiting:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.head:
                self.refuse(431, f"the headers are too large; at most {self.limits.head} bytes")

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        self._head_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the address."""
        self._head_size += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header: a whole head may come in one read."""
        self._head_size += len(name) + len(value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to wait for the body; a head that is too large is refused."""
        if self._refused or self._head_size > self.limits.head:
            self._head_bytes = self._head_size
            if not self._refused:
                self.refuse(431, f"the headers are too large; at most {self.limits.head} bytes")
            self._refused = True
            return
        self._waiting, self._head_bytes = False, 0
        self._deadline = time.monotonic() + self.limits.body_seconds
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Give a body that moves on more time; what is left of a refused one is only drained for a while."""
        if self._refused:
            return
        if not self.cycle.response_complete:
            self._deadline += len(body) / self.limits.slowest
        elif not self.transport.is_closing():  # nobody wants the rest: it is read slowly, so that it costs little
            self.transport.pause_reading()
            self.loop.call_later(DRAIN_PAUSE, self._read_on)
        super().on_body(body)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def on_message_complete(self) -> None:
        """Wait for nothing: the request is here."""
        if self._refused:
            return
        self._deadline, self._waiting = FOREVER, self.cycle.response_complete
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, where this one was read to its end."""
        if self._deadline == FOREVER:
            self._waiting = True
        super().on_response_complete()

    def sweep(self, now: float) -> bool:
        """Close the connection where a deadline has passed; return whether it was."""
        if now >= self._deadline:
            what = "headers" if self._waiting else "body"
            self.refuse(408, f"the {what} did not arrive in time")
            return True
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        elif unsent and now - self._unsent_since >= self.limits.answer_seconds:
            self.transport.abort()
            return True
        return False

    def let_go(self) -> None:
        """Close the connection at a stop where its request is not whole."""
        if self._waiting:
            self.transport.close()
        elif self._deadline != FOREVER:
            self.refuse(503, "the server is stopping", retry=True)

    def refuse(self, status: int, why: str, *, retry: bool = False) -> None:
        """Send an error where no answer has begun, and close."""
        reasons = {408: "Request Timeout", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}
        if (retry or self._head_bytes) if self._waiting else not self.cycle.response_started:
            body = f'{{"error":"{why}"}}'.encode()
            again = "retry-after: 1\r\n" if retry else ""
            head = (
                f"HTTP/1.1 {status} {reasons[status]}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\n{again}connection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self._deadline = FOREVER
        self.transport.close()


def protocol(limits: Limits) -> type[Connection]:
    """Return the connection class with these limits, for ``uvicorn.Config(http=…)``."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


class Server(uvicorn.Server):  # type: ignore[misc]
    """uvicorn's server with a sweep over its connections, and an orderly end at SIGTERM."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self.application = application

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; as many connections may wait as before uvicorn named how many are accepted in one turn."""
        sys.setswitchinterval(SWITCH_SECONDS)
        await super().startup(sockets)
        gc.freeze()  # what was loaded stays: each full collection would look through it while requests wait
        for listener in sockets or ():
            listener.listen(BACKLOG)

    async def main_loop(self) -> None:
        """Sweep until it is to stop; then drop requests that are not whole, so that none blocks the end."""
        sweeper = asyncio.create_task(self._sweep())
        try:
            await super().main_loop()
        finally:
            gc.unfreeze()
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.let_go()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop; SIGTERM ends the process with status 0 once it is done, SIGINT goes on to the caller."""
        super().handle_exit(sig, frame)
        self.application.draining = True
        if sig == signal.SIGTERM:
            self._captured_signals.remove(sig)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now, work = time.monotonic(), 0
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    work += CLOSING if connection.sweep(now) else 1
                if work >= AT_ONCE:  # a thousand that are late together must not keep the others waiting
                    await asyncio.sleep(0)
                    work = 0
