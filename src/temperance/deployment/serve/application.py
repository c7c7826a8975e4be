"""The ASGI application: routes, bodies, errors. Every refusal is a 4xx with ``{"error": …}``."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np
import orjson
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve import binary
from temperance.deployment.serve.admin import Admin
from temperance.deployment.serve.intake import Intake, listed
from temperance.deployment.serve.keep import Keep
from temperance.deployment.serve.limits import Held, Hold, Limits
from temperance.deployment.serve.metrics import TYPE, Metrics
from temperance.deployment.serve.protocol import Protocol
from temperance.deployment.serve.replies import Replies
from temperance.deployment.serve.watch import PostProcessor, Watcher
from temperance.records.errors import RequestError, TemperanceError
from temperance.records.plain_names import is_plain
from temperance.records.schema import Rows

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SAVE_SECONDS = 5.0
SLICE = 256  # rows that the watcher and the adapter take at once
JSON, BYTES = "application/json", "application/octet-stream"
log = logging.getLogger(__name__)


class Packed(NamedTuple):
    """An answer with binary tensors: its JSON and their data."""

    head: bytes
    data: bytes


class Application:
    """Serves one bundle.

    Args:
        bundle: the loaded model.
        watcher: sees all served traffic, e.g. ``monitoring.Monitor``.
        adapter: may change predictions, e.g. ``adaptation.Guarded``; at its level *observe* it changes nothing.
        admin: answers ``/admin/…``; with it answers are kept by request id, so that labels find them.
        keep: where state is written every few seconds, after labels and at the end.
        limits: on bodies and what is held of them; those on connections are the server's (``launch``).

    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        watcher: Watcher | None = None,
        adapter: PostProcessor | None = None,
        admin: Admin | None = None,
        keep: Keep | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.bundle, self.watcher, self.adapter = bundle, watcher, adapter
        self.limits = limits or Limits()
        self.draining = False
        self.admin, self.keep, self._kept = admin, keep, -1
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

    @property
    def title(self) -> str:
        """What is served."""
        return self.bundle.name

    @property
    def has_admin(self) -> bool:
        """``/admin/…`` answers."""
        return self.admin is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        ident = _ident(scope)
        headers: tuple[tuple[bytes, bytes], ...] = ((b"x-request-id", ident.encode()),)
        endpoint = path if path in self._pages or path in ("/predict", "/metrics") else "other"
        try:
            if path == "/metrics":
                _check_method(scope, "GET")
                summary = self.watcher.summary() if self.watcher else None
                status, reply, kind = 200, self.metrics.text(summary), TYPE
            else:
                endpoint, content = await self._route(scope, receive, endpoint, ident)
                if isinstance(content, Packed):
                    headers += ((binary.HEADER, str(len(content.head)).encode()),)
                    status, reply, kind = 200, content.head + content.data, BYTES
                else:
                    status, reply, kind = 200, orjson.dumps(content), JSON
        except RequestError as error:
            status, reply, kind = error.status, orjson.dumps({"error": str(error)}), JSON
            headers += _headers(error)
        except asyncio.CancelledError:
            if not self.draining:
                raise
            late = RequestError("the server stopped before the answer was ready", "", "Send it to another", status=503)
            status, reply, kind = late.status, orjson.dumps({"error": str(late)}), JSON
            headers += _headers(late)
        except Exception as error:
            log.exception("%s %s failed", scope["method"], path)
            known = (
                str(error) if isinstance(error, TemperanceError) else "the server failed on this request; see its log"
            )
            status, reply, kind = 500, orjson.dumps({"error": known}), JSON
        self.metrics.request(endpoint, status)
        await _send(send, status, reply, kind, headers, empty=scope["method"] == "HEAD")

    async def _route(self, scope: Scope, receive: Receive, endpoint: str, ident: str) -> tuple[str, Any]:
        path = scope["path"]
        if path == "/predict":
            _check_method(scope, "POST")
            return endpoint, await self._answer(scope, receive, partial(self._predict, ident=ident))
        if path in self._pages:
            _check_method(scope, "GET")
            return endpoint, self._pages[path]()
        if path.startswith("/admin/") and self.admin is not None:
            return "/admin", await self._administer(self.admin, scope, receive)
        parts = [unquote(part) for part in path.split("/")[1:]]
        if parts[:2] != ["v2", "models"] or len(parts) < 3:
            raise RequestError(
                f"there is nothing at {path!r}"[:200], "/predict, /health, /metrics and /v2/… (see /)", status=404
            )
        return "/v2/models", await self._model(scope, receive, parts[2], parts[3:], ident)

    async def _model(self, scope: Scope, receive: Receive, name: str, rest: list[str], ident: str) -> Any:
        version = rest[1] if rest[:1] == ["versions"] and len(rest) > 1 else None
        action = rest[2:] if version is not None else rest
        self._protocol.check_model(name, version)
        if action == ["infer"]:
            _check_method(scope, "POST")
            work = partial(self._infer, ident=ident, head=_header(scope, binary.HEADER))
            return await self._answer(scope, receive, work)
        _check_method(scope, "GET")
        if action == ["ready"]:
            return {"name": name, "ready": True}
        if action in ([], [""]):
            return self._protocol.model()
        raise RequestError(f"there is nothing at {scope['path']!r}"[:200], "ready and infer", status=404)

    async def _answer(self, scope: Scope, receive: Receive, work: Callable[[bytes], Any]) -> Any:
        encoding = _header(scope, b"content-encoding").strip().lower()
        with self._held.body() as hold:
            body = await _body(scope, receive, hold)
            if encoding not in (b"", b"identity"):
                work = partial(_unpacked, work, encoding, self.limits.body)
            elif len(body) <= self.limits.small:
                return work(body)
            return await asyncio.get_running_loop().run_in_executor(self._worker, work, body)

    async def _administer(self, admin: Admin, scope: Scope, receive: Receive) -> Any:
        admin.check(scope["headers"])
        path = scope["path"]
        if path in admin.reads:
            _check_method(scope, "GET")
            return admin.reads[path]()
        if path not in admin.acts:
            raise RequestError(
                f"there is nothing at {path!r}"[:200], ", ".join([*admin.reads, *admin.acts]), status=404
            )
        _check_method(scope, "POST")
        done = await self._answer(scope, receive, partial(_act, admin.acts[path]))
        if self.keep is not None:  # what was told to a server is not lost with it
            await asyncio.get_running_loop().run_in_executor(None, self.keep.save)
        return done

    def _predict(self, body: bytes, ident: str = "") -> Any:
        content = _json(body)
        rows = listed(content)
        if isinstance(rows, list):
            if not rows:
                raise RequestError("the list of rows is empty", "at least one row", status=422)
            return {"predictions": self._replies.rows(self.serve(self._intake.rows(rows), ident))}
        if not isinstance(content, dict):
            raise RequestError("the body is no row", 'a JSON object, or {"rows": [object, …]}', status=422)
        return self._replies.rows(self.serve(self._intake.rows([content]), ident))[0]

    def _infer(self, body: bytes, ident: str = "", head: bytes = b"") -> Any:
        data = b""
        if head:
            body, data = binary.parted(body, head)
        content = _json(body)
        binary.fill(content, data)
        rows = self._protocol.rows(content)
        reply, told = self._protocol.reply(content, self.serve(rows, content.get("id") or ident))
        return Packed(orjson.dumps(reply), told) if told else reply

    def serve(self, rows: Rows, ident: str = "") -> NDArray[Any]:
        """Predict rows, show them to the watcher and let the adapter act; answers are kept under ``ident``.

        Shapes: probabilities (b, c) or values (b,).

        Raises:
            RequestError: status 422; a row for which the model has no finite answer.

        """
        begin = time.perf_counter()
        source = self.bundle.predict(rows)
        if not np.isfinite(source).all():
            row = int(np.argmin(np.isfinite(source.reshape(len(source), -1)).all(axis=1)))
            raise RequestError(
                f"the model has no finite answer for row {row}", "numbers of the size that it was trained on",
                "Correct the row, or send null where a value is not known", status=422,
            )  # fmt: skip
        if self.admin is not None and ident:
            self.admin.recent.add(ident, source)
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

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        saving = asyncio.create_task(self._save())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        saving.cancel()
        self._worker.shutdown()
        if self.keep is not None:
            self.keep.save()
            self.keep.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _save(self) -> None:
        while self.keep is not None:
            await asyncio.sleep(SAVE_SECONDS)
            if self.metrics.rows == self._kept:
                continue
            self._kept = self.metrics.rows
            try:
                await asyncio.get_running_loop().run_in_executor(None, self.keep.save)
            except TemperanceError:
                log.exception("the state could not be written")

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


def _act(act: Callable[[Any], Any], body: bytes) -> Any:
    content = _json(body) if body.strip() else {}
    if not isinstance(content, dict):
        raise RequestError("the body is no JSON object", "an object, or nothing")
    return act(content)


def _ident(scope: Scope) -> str:
    """Return the request id that the client gave, where it is plain, or a new one."""
    for key, value in scope["headers"]:
        if key == b"x-request-id":
            given = value.decode("latin-1")
            if is_plain(given):
                return str(given)
    return uuid.uuid4().hex


def _check_method(scope: Scope, method: str) -> None:
    given = scope["method"]
    if given != method and not (method == "GET" and given == "HEAD"):
        raise RequestError(f"{given} {scope['path']}"[:200], f"only {method}", status=405)


def _header(scope: Scope, name: bytes) -> bytes:
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")


def _unpacked(work: Callable[[bytes], Any], encoding: bytes, most: int, body: bytes) -> Any:
    return work(binary.unpacked(body, encoding, most=most))


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
