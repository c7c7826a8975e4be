"""One server for the models of several targets: asked together at ``/predict``, each alone at ``/outputs/NAME/…``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import orjson

from temperance.deployment.serve.application import HTML, Application, Reply, said
from temperance.deployment.serve.limits import Limits
from temperance.deployment.serve.manual import index
from temperance.deployment.serve.pages import STARTED
from temperance.deployment.serve.requests import Receive, Scope, Send, check_method, read_body
from temperance.records.errors import RequestError

PREFIX = "/outputs/"
OF_ONE = ("/v2", "/admin", "/openapi.json", "/grafana.json", PREFIX)  # asked of one model


class Together(Application):
    """Serves several bundles, each with its own monitor, labels and metrics.

    ``/predict`` answers ``{target: answer}`` for a row. Everything else of one model is at ``/outputs/NAME/…``, with
    ``NAME`` the folder of its bundle.

    Args:
        parts: applications by the names of their folders.
        limits: on bodies; see ``Application``.

    """

    def __init__(self, parts: Mapping[str, Application], *, limits: Limits | None = None) -> None:
        self.parts = dict(parts)
        super().__init__(next(iter(self.parts.values())).bundle, limits=limits)

    @property
    def draining(self) -> bool:
        """The server is to stop."""
        return self._draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._draining = value
        for part in self.parts.values():
            part.draining = value

    @property
    def title(self) -> str:
        """What is served."""
        return f"{len(self.parts)} models ({', '.join(self.parts)})"

    @property
    def has_admin(self) -> bool:
        """Some ``/outputs/NAME/admin/…`` answers."""
        return any(part.has_admin for part in self.parts.values())

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, slash, rest = scope["path"].removeprefix(PREFIX).partition("/")
        if scope["path"].startswith(PREFIX) and name in self.parts:
            await self.parts[name]._http({**scope, "path": slash + rest or "/"}, receive, send)
        else:
            await super()._http(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, ident: str) -> Reply:
        path = scope["path"]
        if path == "/predict":
            check_method(scope, "POST")
            return await self._all(scope, receive, ident)
        if path in ("/", "/health"):
            check_method(scope, "GET")
            return said(self._about() if path == "/" else self._health())
        if path == "/docs":
            check_method(scope, "GET")
            return Reply(200, index(self._about()), HTML)
        if path.startswith(OF_ONE):
            known = ", ".join(f"{PREFIX}{name}" for name in self.parts)
            raise RequestError(f"there is nothing at {path!r}"[:200], f"one model of {known} (see /docs)", status=404)
        return await super()._route(scope, receive, ident)

    async def _all(self, scope: Scope, receive: Receive, ident: str) -> Reply:
        """Ask each model with the same body."""
        with self._held.body() as hold:
            whole = await read_body(scope, receive, hold)
        answers = {}
        for part in self.parts.values():
            reply = await part._answer(scope, _again(whole), "rows", ident)
            answers[part.bundle.schema.target.name] = orjson.loads(reply.body)
        rows = [answer.get("predictions") for answer in answers.values()]
        if not isinstance(rows[0], list):  # one row by itself
            return said(answers)
        return said({"predictions": [dict(zip(answers, row, strict=True)) for row in zip(*rows, strict=True)]})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        saving = [asyncio.create_task(part.save_often()) for part in self.parts.values()]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in saving:
            task.cancel()
        for part in (self, *self.parts.values()):
            part.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _about(self) -> dict[str, Any]:
        features = [name for part in self.parts.values() for name in part.about()["features"]]
        return {
            "models": {
                name: {"target": part.bundle.schema.target.name, "task": part.bundle.task}
                for name, part in self.parts.items()
            },
            "paths": [
                "POST /predict",
                "GET /health",
                "GET /metrics",
                "GET /docs",
                *(f"GET {PREFIX}{name}/" for name in self.parts),
            ],
            "features": [*dict.fromkeys(features)],
        }

    def _health(self) -> dict[str, Any]:
        return {
            "status": "ok",
            "uptime_seconds": round(time.monotonic() - STARTED, 3),
            "outputs": {name: part.health() for name, part in self.parts.items()},
        }


def _again(whole: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": whole, "more_body": False}

    return receive
