"""One of several processes that answer: ``python -m temperance.deployment.serve.worker``, started by ``workers``."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import uvicorn

from temperance.deployment.bundle import load
from temperance.deployment.serve.answering import Answering
from temperance.deployment.serve.application import Application
from temperance.deployment.serve.connections import ACCEPTED, Server, protocol
from temperance.deployment.serve.limits import Limits
from temperance.deployment.serve.line import Line
from temperance.records.errors import BundleError

TURN = 2  # connections accepted in one turn: the others are for the other workers


def main(given: dict[str, Any]) -> None:
    """Serve until told to stop, or until the process that started this one is gone.

    Args:
        given: ``folder``, ``watched``, ``limits``, ``tls``, and the numbers of two open files: ``listener``, ``line``.

    """
    limits = Limits(**given["limits"])
    bundle = load(given["folder"], verify=False)  # it was checked by the process that starts this one

    async def reload(version: str) -> None:
        new = await asyncio.to_thread(load, given["folder"])
        if new.version != version:
            raise BundleError(f"the folder holds version {new.version}", f"version {version}", "Reload again")
        watched = line if given["watched"] else None
        application.take(Answering(new, watcher=watched, metrics=application.metrics, recent=watched))

    def ended() -> None:
        server.should_exit = True

    line = Line(Connection(given["line"]), bundle.version, reload=reload, ended=ended)
    watched = line if given["watched"] else None
    application = Application(bundle, watcher=watched, recent=watched, limits=limits, large="process", elsewhere=line)
    config = uvicorn.Config(
        application, http=protocol(limits), ws="none", log_level="critical", access_log=False, server_header=False,
        date_header=False, lifespan="on", timeout_graceful_shutdown=limits.drain_seconds,
        backlog=min(TURN, ACCEPTED), **given["tls"],
    )  # fmt: skip
    server = Worker(config, application, line)
    listener = socket.socket(fileno=given["listener"])
    with listener, suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


class Worker(Server):
    """A server that tells the process behind it when it listens and when it ends."""

    def __init__(self, config: uvicorn.Config, application: Application, line: Line) -> None:
        super().__init__(config, application)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._line.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is under way, then send what is left."""
        await super().shutdown(sockets)
        self._line.stop()
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
