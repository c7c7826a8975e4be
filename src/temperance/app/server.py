"""The web application: routes, errors, and the line of studies that runs beside them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from temperance.app import pages
from temperance.app.data_pages import DataPages
from temperance.app.desk import Desk
from temperance.app.events import Stream
from temperance.app.folders import WORDS, Studies
from temperance.app.guard import Guard, Rules, TooLarge
from temperance.app.start_pages import StartPages
from temperance.app.study_pages import StudyPages
from temperance.app.use_pages import UsePages, WatchPages, stop_servers
from temperance.records.errors import TemperanceError

log = logging.getLogger(__name__)
Handler = Callable[[Request], Awaitable[Response]]
ROOMS = (StartPages, DataPages, StudyPages, UsePages, WatchPages)
PHRASES = {
    400: "refused.malformed",
    403: "refused.form",
    404: "refused.absent",
    405: "refused.method",
    413: "refused.large",
}


def create(
    root: Path, *, rules: Rules | None = None, known: frozenset[str] = frozenset(), stream: Stream | None = None
) -> Starlette:
    """Return the application for one folder.

    Args:
        root: folder that it reads and writes.
        rules: who may use it; left out: this machine.
        known: options that the installed `temperance study` has; a field for any other is not shown.
        stream: settings of the live parts.

    """
    desk = Desk(Studies(root.resolve()), rules or Rules(), known, stream or Stream())

    @asynccontextmanager
    async def alive(app: Starlette) -> AsyncIterator[None]:
        runner = asyncio.create_task(desk.line.run())
        try:
            yield
        finally:
            runner.cancel()
            with suppress(asyncio.CancelledError):
                await runner
            await asyncio.to_thread(stop_servers, desk)

    return Starlette(
        routes=[
            *(route for pages_of in ROOMS for route in pages_of(desk).routes()),
            Route("/app.css", _fixed(pages.style(), "text/css")),
            Route("/app.js", _fixed(pages.static("app.js"), "text/javascript")),
        ],
        middleware=[Middleware(Guard, rules=desk.rules, refuse=desk.refuse)],
        exception_handlers=_handlers(desk),
        lifespan=alive,
    )  # fmt: skip


def _handlers(desk: Desk) -> dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    async def said(request: Request, error: Exception) -> Response:
        assert isinstance(error, TemperanceError)
        status = getattr(error, "status", 400)
        return desk.message(status, "", [error.received, error.accepted, error.remedy])

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        key = error.detail if WORDS.knows(error.detail) else PHRASES.get(error.status_code, "refused.method")
        return desk.refuse(error.status_code, key)

    async def large(request: Request, error: Exception) -> Response:
        return desk.refuse(413, "refused.large")

    async def full(request: Request, error: Exception) -> Response:
        log.exception("%s %s could not read or write", request.method, request.url.path, exc_info=error)
        reason = getattr(error, "strerror", None) or type(error).__name__
        return desk.message(500, "", [f"a file could not be read or written ({reason})", "", "Free space on the disk"])

    async def broken(request: Request, error: Exception) -> Response:
        return desk.refuse(500, "refused.broken")

    return {TemperanceError: said, HTTPException: http, TooLarge: large, OSError: full, Exception: broken}


def _fixed(text: str, kind: str) -> Handler:
    async def answer(request: Request) -> Response:
        return Response(text, media_type=kind)

    return answer
