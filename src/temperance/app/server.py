"""The web application: reading only, for this machine only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from temperance.app import pages
from temperance.app.events import Stream
from temperance.app.folders import Entry, Studies
from temperance.app.progress import follow

LOCAL = ("127.0.0.1", "localhost")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
Handler = Callable[[Request], Awaitable[Response]]


class Guarded:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with the headers."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(key.encode(), value.encode()) for key, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await self.app(scope, receive, sending)


def create(root: Path, *, stream: Stream | None = None, hosts: tuple[str, ...] = LOCAL) -> Starlette:
    """Return the application for the studies below a folder.

    Args:
        root: folder that holds studies, or is one.
        stream: settings of the live stream.
        hosts: names by which it may be called; others get 400, so that no foreign page can reach it by a trick of DNS.

    """
    return Starlette(
        routes=_routes(Studies(root), stream or Stream()),
        middleware=[Middleware(Guarded), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
    )


def _routes(studies: Studies, stream: Stream) -> list[Route]:
    def found(request: Request) -> Entry:
        entry = studies.find(request.path_params["name"])
        if entry is None:
            raise HTTPException(404, "There is no study of this name. The list names those there are.")
        return entry

    async def index(request: Request) -> Response:
        return HTMLResponse(pages.listing(studies.entries()))

    async def api(request: Request) -> Response:
        return JSONResponse({"studies": [entry.to_dict() for entry in studies.entries()]})

    async def study(request: Request) -> Response:
        return HTMLResponse(pages.study_page(found(request)))

    async def fragments(request: Request) -> Response:
        return HTMLResponse(pages.fragments(found(request)))

    async def document(request: Request) -> Response:
        entry = found(request)
        if not (entry.path / "study.json").is_file():
            raise HTTPException(404, "The study has not written its study.json yet.")
        return FileResponse(entry.path / "study.json", media_type="application/json")

    async def progress(request: Request) -> Response:
        entry = found(request)
        lines = follow(entry.path / "ledger.jsonl", _offset(request.query_params.get("after", "0")))
        done = entry.is_over and not lines.more
        return JSONResponse({**lines.to_dict(), "done": done})

    async def events(request: Request) -> Response:
        offset = _offset(request.headers.get("last-event-id") or request.query_params.get("after", "0"))
        live = stream.run(found(request).path, offset, request.is_disconnected)
        return StreamingResponse(live, media_type="text/event-stream")

    return [
        Route("/", index),
        Route("/api/studies", api),
        Route("/app.css", _fixed(pages.style(), "text/css")),
        Route("/app.js", _fixed(pages.static("app.js"), "text/javascript")),
        Route("/study/{name}/", study),
        Route("/study/{name}/fragments", fragments),
        Route("/study/{name}/study.json", document),
        Route("/study/{name}/progress", progress),
        Route("/study/{name}/events", events),
    ]


def _fixed(text: str, kind: str) -> Handler:
    async def answer(request: Request) -> Response:
        return Response(text, media_type=kind)

    return answer


def _offset(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise HTTPException(400, f"The offset {text[:20]!r} is not a whole number. Leave it out to start anew.")
    return int(text)
