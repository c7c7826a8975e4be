"""The ASGI application: routes, bodies, errors. Every refusal is a 4xx with ``{"error": …}``."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

import numpy as np
import orjson
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve import binary
from temperance.deployment.serve.admin import Admin
from temperance.deployment.serve.answering import Answering, Packed, Question, Whose, parsed
from temperance.deployment.serve.aside import Aside, Done
from temperance.deployment.serve.gather import Gather
from temperance.deployment.serve.keep import Keep
from temperance.deployment.serve.limits import Held, Limits
from temperance.deployment.serve.metrics import TYPE, Metrics
from temperance.deployment.serve.pages import Pages
from temperance.deployment.serve.requests import Receive, Scope, Send, check_method, header, read_body, request_id
from temperance.deployment.serve.watch import Elsewhere, PostProcessor, Remembers, Watcher
from temperance.records.errors import RequestError, TemperanceError
from temperance.records.schema import Rows

Renew = Callable[["Application"], Awaitable[dict[str, Any]]]

SAVE_SECONDS = 5.0
JSON, BYTES, HTML = "application/json", "application/octet-stream", "text/html; charset=utf-8"
RELOAD = "/admin/reload"
log = logging.getLogger(__name__)


def told_elsewhere(path: str) -> bool:
    """Return whether a path is about all workers."""
    return path in ("/health", "/metrics") or path.startswith("/admin/") or path.endswith("/stats")


class Reply(NamedTuple):
    """What is sent back."""

    status: int
    body: bytes
    kind: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Application:
    """Serves one bundle at a time.

    Args:
        bundle: the loaded model.
        watcher: sees all served traffic, e.g. ``monitoring.Monitor``.
        adapter: may change predictions, e.g. ``adaptation.Steward``; None: they are sent as they are.
        admin: answers ``/admin/…``; with it answers are kept by request id, so that labels find them.
        keep: where state is written every few seconds, after labels and at the end.
        limits: on bodies and what is held of them; those on connections are the server's (``launch``).
        large: large bodies are worked on in a ``thread``, or in a ``process`` of their own.
        renew: serves the bundle that lies in the folder now; for ``/admin/reload``, which ``admin`` guards.
        elsewhere: another process that answers ``/health``, ``/metrics`` and ``/admin/…``, for several workers.
        recent: keeps answers by request id where there is no ``admin`` here.

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
        large: Literal["thread", "process"] = "thread",
        renew: Renew | None = None,
        elsewhere: Elsewhere | None = None,
        recent: Remembers | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.draining = False
        self.renew, self.elsewhere, self._large, self._kept = renew, elsewhere, large, -1
        self.metrics: Metrics = Metrics(bundle.name, bundle.version) if elsewhere is None else elsewhere.metrics
        self._held = Held(self.limits)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="large-body")  # two would only share one interpreter
        self._aside: Aside | None = None
        self._retiring: asyncio.Task[None] | None = None
        self.take(Answering(
            bundle, watcher=watcher, adapter=adapter, admin=admin, keep=keep, metrics=self.metrics, recent=recent,
        ))  # fmt: skip

    def take(self, answering: Answering) -> None:
        """Serve another bundle from the next request on; those under way end with the one that they began with."""
        before = self._aside
        self.answering, self._gather = answering, Gather(answering)
        bundle = answering.bundle
        self._aside = Aside(str(bundle.folder), bundle.version, self.limits) if self._large == "process" else None
        self._pages = Pages(
            answering, self.metrics, lambda: self.draining,
            admin=answering.admin is not None or (self.elsewhere is not None and answering.watcher is not None),
        )  # fmt: skip
        if before is not None:
            self._retiring = asyncio.get_running_loop().create_task(before.retire())

    @property
    def bundle(self) -> Bundle:
        """What is served."""
        return self.answering.bundle

    @property
    def watcher(self) -> Watcher | None:
        """The monitor."""
        return self.answering.watcher

    @property
    def adapter(self) -> PostProcessor | None:
        """The adapter."""
        return self.answering.adapter

    @property
    def admin(self) -> Admin | None:
        """What answers the owner."""
        return self.answering.admin

    @property
    def keep(self) -> Keep | None:
        """Where the state is written."""
        return self.answering.keep

    @property
    def title(self) -> str:
        """What is served."""
        return self.bundle.name

    @property
    def has_admin(self) -> bool:
        """``/admin/…`` answers."""
        return self.admin is not None

    def about(self) -> dict[str, Any]:
        """Return name, task, paths and columns."""
        return self._pages.about()

    def health(self) -> dict[str, Any]:
        """Return how server, monitor and adapter are."""
        return self._pages.health()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, path, ident = time.perf_counter(), scope["path"], request_id(scope)
        endpoint = self._endpoint(path)
        try:
            reply = await self._route(scope, receive, ident)
        except RequestError as error:
            reply = _refused(error)
        except asyncio.CancelledError:
            if not self.draining:
                raise
            reply = _refused(
                RequestError("the server stopped before the answer was ready", "", "Send it to another", status=503)
            )
        except Exception as error:
            log.exception("%s %s failed", scope["method"], path)
            known = (
                str(error) if isinstance(error, TemperanceError) else "the server failed on this request; see its log"
            )
            reply = Reply(500, orjson.dumps({"error": known}))
        self.metrics.request(endpoint, reply.status, seconds=time.perf_counter() - began)
        headers = [
            (b"content-type", reply.kind.encode()), (b"content-length", str(len(reply.body)).encode()),
            (b"x-request-id", ident.encode()), *reply.headers,
        ]  # fmt: skip
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})

    def _endpoint(self, path: str) -> str:
        if path in self._pages.reads or path in ("/predict", "/metrics", "/docs"):
            return str(path)
        if path.startswith("/v2/models/"):
            return "/v2/models/infer" if path.endswith("/infer") else "/v2/models"
        return "/admin" if path.startswith("/admin/") else "other"

    async def _route(self, scope: Scope, receive: Receive, ident: str) -> Reply:
        path = scope["path"]
        if path == "/predict":
            check_method(scope, "POST")
            return await self._answer(scope, receive, "rows", ident)
        if self.elsewhere is not None and told_elsewhere(path):
            return await self._asked_elsewhere(self.elsewhere, scope, receive)
        if path == "/metrics":
            check_method(scope, "GET")
            return Reply(200, self.metrics.text(*self._pages.figures()), TYPE)
        if path == "/docs":
            check_method(scope, "GET")
            return Reply(200, self._pages.docs(), HTML)
        if path in self._pages.reads:
            check_method(scope, "GET")
            return said(self._pages.reads[path]())
        if path == "/v2/repository/index":
            check_method(scope, "POST")
            return said(self._pages.repository())
        if path.startswith("/admin/") and self.admin is not None:
            return said(await self._administer(self.admin, scope, receive))
        parts = [unquote(part) for part in path.split("/")[1:]]
        if parts[:2] != ["v2", "models"] or len(parts) < 3:
            raise RequestError(
                f"there is nothing at {path!r}"[:200],
                "/predict, /health, /metrics, /docs and /v2/… (see /)",
                status=404,
            )
        return await self._model(scope, receive, parts[2], parts[3:], ident)

    async def _model(self, scope: Scope, receive: Receive, name: str, rest: list[str], ident: str) -> Reply:
        if (name, rest) == ("stats", []):
            check_method(scope, "GET")
            return said(self._pages.statistics())
        version = rest[1] if rest[:1] == ["versions"] and len(rest) > 1 else None
        action = rest[2:] if version is not None else rest
        self.answering.protocol.check_model(name, version)
        if action == ["infer"]:
            check_method(scope, "POST")
            return await self._answer(scope, receive, "tensors", ident)
        check_method(scope, "GET")
        if action == ["ready"]:
            return said({"name": name, "ready": True})
        if action == ["stats"]:
            return said(self._pages.statistics())
        if action in ([], [""]):
            return said(self.answering.protocol.model())
        raise RequestError(f"there is nothing at {scope['path']!r}"[:200], "ready, stats and infer", status=404)

    async def _answer(self, scope: Scope, receive: Receive, kind: str, ident: str) -> Reply:
        """Answer a body of rows or tensors: at once where it is small, else one after the other, apart."""
        encoding = header(scope, b"content-encoding").strip().lower()
        head = header(scope, binary.HEADER) if kind == "tensors" else b""
        answering, aside, gather = self.answering, self._aside, self._gather
        loop = asyncio.get_running_loop()
        with self._held.body() as hold:
            body = await read_body(scope, receive, hold)
            if encoding not in (b"", b"identity"):
                unpack = partial(binary.unpacked, body, encoding, most=self.limits.body)
                body = await loop.run_in_executor(self._worker, unpack)
            if len(body) <= self.limits.small:
                asked = _ask(answering, kind, body, ident, head)
                return _packed(asked.reply(await gather.answer(asked.rows, asked.ident)))
            if aside is not None:
                began = time.perf_counter()
                done = await aside.work(kind, body, ident, head)
                if done is not None:
                    body = body if answering.adapter is not None else b""  # who else would write a reply anew
                    return await _shown(answering, done, kind, body, head, began)
            return await loop.run_in_executor(self._worker, _all_here, answering, kind, body, ident, head)

    async def _administer(self, admin: Admin, scope: Scope, receive: Receive) -> Any:
        admin.check(scope["headers"])
        path = scope["path"]
        if path in admin.reads:
            check_method(scope, "GET")
            return admin.reads[path]()
        if path == RELOAD and self.renew is not None:
            check_method(scope, "POST")
            return await self.renew(self)
        if path not in admin.acts:
            raise RequestError(
                f"there is nothing at {path!r}"[:200], ", ".join([*admin.reads, *admin.acts, RELOAD]), status=404
            )
        check_method(scope, "POST")
        with self._held.body() as hold:
            body = await read_body(scope, receive, hold)
            done = await asyncio.get_running_loop().run_in_executor(None, _act, admin.acts[path], body)
        if self.answering.keep is not None:  # what was told to a server is not lost with it
            await asyncio.get_running_loop().run_in_executor(None, self.answering.keep.save)
        return done

    async def _asked_elsewhere(self, elsewhere: Elsewhere, scope: Scope, receive: Receive) -> Reply:
        with self._held.body() as hold:
            body = await read_body(scope, receive, hold)
            return Reply(*await elsewhere.ask(scope["method"], scope["path"], scope["headers"], body))

    def serve(self, rows: Rows, ident: str = "") -> NDArray[Any]:
        """Predict rows, show them to the watcher and let the adapter act; see ``Answering.serve``.

        Shapes: probabilities (b, c) or values (b,).
        """
        return self.answering.serve(rows, ident)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        saving = asyncio.create_task(self.save_often())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        saving.cancel()
        self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def close(self) -> None:
        """Write the state and end what works aside."""
        self._worker.shutdown()
        if self._aside is not None:
            self._aside.close()
        if self.answering.keep is not None:
            self.answering.keep.save()
            self.answering.keep.close()

    async def save_often(self) -> None:
        """Write the state every few seconds where something came."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            keep = self.answering.keep
            if keep is None or self.metrics.rows == self._kept:
                continue
            self._kept = self.metrics.rows
            try:
                await asyncio.get_running_loop().run_in_executor(None, keep.save)
            except (TemperanceError, OSError):
                log.exception("the state could not be written")


def app(bundle: Bundle, **settings: Any) -> Application:
    """Return the ASGI application of a bundle; ``settings`` as in ``Application``."""
    return Application(bundle, **settings)


def _ask(answering: Answering, kind: str, body: bytes, ident: str, head: bytes) -> Question:
    return answering.asked_rows(body, ident) if kind == "rows" else answering.asked_tensors(body, ident, head=head)


def _all_here(answering: Answering, kind: str, body: bytes, ident: str, head: bytes) -> Reply:
    asked = _ask(answering, kind, body, ident, head)
    return _packed(asked.reply(answering.serve(asked.rows, asked.ident)))


async def _shown(answering: Answering, done: Done, kind: str, body: bytes, head: bytes, began: float) -> Reply:
    """Show what another process answered to monitor and adapter; write the reply anew where the adapter changed it.

    A few rows at a time, between other requests: in a thread they would hold the interpreter for longer.
    """
    reply, rows, source, ident = done
    parts = []
    for part in answering.in_parts(rows, source, [Whose(ident, rows.size)]):
        parts.append(part)
        await asyncio.sleep(0)
    if answering.metrics is not None:
        answering.metrics.prediction(rows.size, time.perf_counter() - began)
    if answering.adapter is not None:
        sent = np.concatenate(parts)
        if not np.array_equal(sent, source):
            write = partial(_ask(answering, kind, body, ident, head).reply, sent)
            reply = await asyncio.get_running_loop().run_in_executor(None, write)
    return _packed(reply)


def _packed(reply: Packed) -> Reply:
    if not reply.data:
        return Reply(200, reply.head)
    return Reply(200, reply.head + reply.data, BYTES, ((binary.HEADER, str(len(reply.head)).encode()),))


def said(content: Any) -> Reply:
    """Return what is answered as JSON."""
    return Reply(200, orjson.dumps(content))


def _refused(error: RequestError) -> Reply:
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if error.status == 405:
        headers = ((b"allow", b"POST" if error.accepted.endswith("POST") else b"GET, HEAD"),)
    if error.status == 503:
        headers = ((b"retry-after", b"1"),)
    return Reply(error.status, orjson.dumps({"error": str(error)}), JSON, headers)


def _act(act: Callable[[Any], Any], body: bytes) -> Any:
    content = parsed(body) if body.strip() else {}
    if not isinstance(content, dict):
        raise RequestError("the body is no JSON object", "an object, or nothing")
    return act(content)
