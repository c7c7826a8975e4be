"""The ASGI application: routes, bodies, errors. Every refusal is a 4xx with ``{"error": …}``."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import numpy as np
import orjson
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve.intake import Intake
from temperance.deployment.serve.limits import Held, Hold, Limits
from temperance.deployment.serve.metrics import TYPE, Metrics
from temperance.deployment.serve.protocol import Protocol
from temperance.deployment.serve.replies import Replies
from temperance.deployment.serve.watch import PostProcessor, Watcher
from temperance.records.errors import RequestError, TemperanceError
from temperance.records.schema import Rows

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SLICE = 256  # rows that the watcher and the adapter take at once
JSON = "application/json"
log = logging.getLogger(__name__)


class Application:
    """Serves one bundle.

    Args:
        bundle: the loaded model.
        watcher: sees all served traffic, e.g. ``monitoring.Monitor``.
        adapter: may change predictions, e.g. ``adaptation.Guarded``; at its level *observe* it changes nothing.
        limits: on bodies and what is held of them; those on connections are the server's (``launch``).

    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        watcher: Watcher | None = None,
        adapter: PostProcessor | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.bundle, self.watcher, self.adapter = bundle, watcher, adapter
        self.limits = limits or Limits()
        self.draining = False
        self.metrics = Metrics(bundle.name, bundle.version)
        self._intake, self._replies = Intake(bundle.schema), Replies(bundle)
        self._protocol = Protocol(bundle, self._intake, self._replies)
        self._held = Held(self.limits)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="large-body")  # two would only share one interpreter
        self._started = time.monotonic()
        self._pages: dict[str, Callable[[], Any]] = {
            "/": self._about,
            "/health": self._health,
            "/v2": self._protocol.server,
            "/v2/": self._protocol.server,
            "/v2/health/live": lambda: {"live": True},
            "/v2/health/ready": self._ready,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        headers: tuple[tuple[bytes, bytes], ...] = ()
        endpoint = path if path in self._pages or path in ("/predict", "/metrics") else "other"
        try:
            if path == "/metrics":
                _check_method(scope, "GET")
                summary = self.watcher.summary() if self.watcher else None
                status, reply, kind = 200, self.metrics.text(summary), TYPE
            else:
                endpoint, content = await self._route(scope, receive, endpoint)
                status, reply, kind = 200, orjson.dumps(content), JSON
        except RequestError as error:
            status, reply, kind = error.status, orjson.dumps({"error": str(error)}), JSON
            headers = _headers(error)
        except Exception as error:
            log.exception("%s %s failed", scope["method"], path)
            known = (
                str(error) if isinstance(error, TemperanceError) else "the server failed on this request; see its log"
            )
            status, reply, kind = 500, orjson.dumps({"error": known}), JSON
        self.metrics.request(endpoint, status)
        await _send(send, status, reply, kind, headers, empty=scope["method"] == "HEAD")

    async def _route(self, scope: Scope, receive: Receive, endpoint: str) -> tuple[str, Any]:
        path = scope["path"]
        if path == "/predict":
            _check_method(scope, "POST")
            return endpoint, await self._answer(scope, receive, self._predict)
        if path in self._pages:
            _check_method(scope, "GET")
            return endpoint, self._pages[path]()
        parts = [unquote(part) for part in path.split("/")[1:]]
        if parts[:2] != ["v2", "models"] or len(parts) < 3:
            raise RequestError(
                f"there is nothing at {path!r}"[:200], "/predict, /health, /metrics and /v2/… (see /)", status=404
            )
        return "/v2/models", await self._model(scope, receive, parts[2], parts[3:])

    async def _model(self, scope: Scope, receive: Receive, name: str, rest: list[str]) -> Any:
        version = rest[1] if rest[:1] == ["versions"] and len(rest) > 1 else None
        action = rest[2:] if version is not None else rest
        self._protocol.check_model(name, version)
        if action == ["infer"]:
            _check_method(scope, "POST")
            return await self._answer(scope, receive, self._infer)
        _check_method(scope, "GET")
        if action == ["ready"]:
            return {"name": name, "ready": True}
        if action in ([], [""]):
            return self._protocol.model()
        raise RequestError(f"there is nothing at {scope['path']!r}"[:200], "ready and infer", status=404)

    async def _answer(self, scope: Scope, receive: Receive, work: Callable[[bytes], Any]) -> Any:
        _check_encoding(scope)
        with self._held.body() as hold:
            body = await _body(scope, receive, hold)
            if len(body) <= self.limits.small:
                return work(body)
            return await asyncio.get_running_loop().run_in_executor(self._worker, work, body)

    def _predict(self, body: bytes) -> Any:
        content = _json(body)
        rows = content.get("rows") if isinstance(content, dict) else content
        if isinstance(rows, list):
            if not rows:
                raise RequestError("the list of rows is empty", "at least one row", status=422)
            return {"predictions": self._replies.rows(self.serve(self._intake.rows(rows)))}
        if not isinstance(content, dict):
            raise RequestError("the body is no row", 'a JSON object, or {"rows": [object, …]}', status=422)
        return self._replies.rows(self.serve(self._intake.rows([content])))[0]

    def _infer(self, body: bytes) -> Any:
        content = _json(body)
        rows = self._protocol.rows(content)
        return self._protocol.reply(content, self.serve(rows))

    def serve(self, rows: Rows) -> NDArray[Any]:
        """Predict rows, show them to the watcher and let the adapter act.

        Shapes: probabilities (b, c) or values (b,).
        """
        begin = time.perf_counter()
        source = self.bundle.predict(rows)
        if rows.size <= SLICE:
            sent = self._seen(rows, source)
        else:
            cuts = [slice(i, i + SLICE) for i in range(0, rows.size, SLICE)]
            sent = np.concatenate([self._seen(rows.take(cut), source[cut]) for cut in cuts])
        self.metrics.prediction(rows.size, time.perf_counter() - begin)
        return sent

    def _seen(self, rows: Rows, source: NDArray[Any]) -> NDArray[Any]:
        """Show a few rows at a time to watcher and adapter, which lock, so that nobody waits long."""
        if self.watcher is not None:
            changed = self.watcher.observe(rows, source)
            if changed:
                self.metrics.alarms(sum(verdict.state == "alarm" for verdict in changed))
        return source if self.adapter is None else self.adapter.transform(source)

    def _ready(self) -> dict[str, Any]:
        if self.draining:
            raise RequestError("the server is stopping", "", "Send the request to another one", status=503)
        return {"ready": True}

    def _about(self) -> dict[str, Any]:
        paths = ["POST /predict", "GET /health", "GET /metrics", "GET /v2", f"POST /v2/models/{self.bundle.name}/infer"]
        columns = [column.source or column.name for column in self.bundle.schema.columns]
        return {
            "model": self.bundle.name,
            "task": self.bundle.task,
            "paths": paths,
            "features": [*dict.fromkeys(columns)],
        }

    def _health(self) -> dict[str, Any]:
        summary = self.watcher.summary() if self.watcher else None
        return {
            "status": "ok",
            "model": self.bundle.name,
            "version": self.bundle.version,
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "monitor": {key: value for key, value in summary.items() if key != "evidence"} if summary else None,
            "adaptation": self.adapter.summary() if self.adapter else None,
        }


def app(bundle: Bundle, **settings: Any) -> Application:
    """Return the ASGI application of a bundle; ``settings`` as in ``Application``."""
    return Application(bundle, **settings)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"the body is no valid JSON: {error}", "JSON in UTF-8") from error


def _check_method(scope: Scope, method: str) -> None:
    given = scope["method"]
    if given != method and not (method == "GET" and given == "HEAD"):
        raise RequestError(f"{given} {scope['path']}"[:200], f"only {method}", status=405)


def _check_encoding(scope: Scope) -> None:
    for key, value in scope["headers"]:
        if key == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise RequestError("the body is compressed", "a plain body", "Send it without Content-Encoding", status=415)
        if key == b"inference-header-content-length":
            raise RequestError("the body holds binary tensors", "tensors as JSON", "Send 'data' as lists")


def _headers(error: RequestError) -> tuple[tuple[bytes, bytes], ...]:
    if error.status == 405:
        return ((b"allow", b"POST" if error.accepted.endswith("POST") else b"GET, HEAD"),)
    return ((b"retry-after", b"1"),) if error.status == 503 else ()


async def _body(scope: Scope, receive: Receive, hold: Hold) -> bytes:
    for key, value in scope["headers"]:
        if key == b"content-length" and value.isdigit():
            hold.check(int(value))
    chunks, total = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError("the client went away", status=400)
        chunk = message.get("body", b"")
        total += len(chunk)
        hold.grow(total)
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _send(
    send: Send, status: int, body: bytes, kind: str, extra: tuple[tuple[bytes, bytes], ...], *, empty: bool
) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if empty else body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        kind = "startup" if message["type"] == "lifespan.startup" else "shutdown"
        await send({"type": f"lifespan.{kind}.complete"})
        if kind == "shutdown":
            return
