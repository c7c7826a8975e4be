"""What every part of the server needs of ASGI: types, replies, headers and bodies."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import orjson

from temperance.deployment.serve.limits import Hold
from temperance.records.errors import RequestError
from temperance.records.plain_names import is_plain

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON, BYTES, HTML = "application/json", "application/octet-stream", "text/html; charset=utf-8"


class Reply(NamedTuple):
    """What is sent back."""

    status: int
    body: bytes
    kind: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def said(content: Any) -> Reply:
    """Return what is answered as JSON."""
    return Reply(200, orjson.dumps(content))


def refused(error: RequestError) -> Reply:
    """Return a refusal in words."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if error.status == 405:
        headers = ((b"allow", b"POST" if error.accepted.endswith("POST") else b"GET, HEAD"),)
    if error.status == 503:
        headers = ((b"retry-after", b"1"),)
    return Reply(error.status, orjson.dumps({"error": str(error)}), JSON, headers)


def ident_of(scope: Scope) -> str:
    """Return the request id that the client gave, where it is plain, or a new one."""
    for key, value in scope["headers"]:
        if key == b"x-request-id":
            given = value.decode("latin-1")
            if is_plain(given):
                return str(given)
    return uuid.uuid4().hex


def check_method(scope: Scope, method: str) -> None:
    """Refuse other methods; HEAD goes where GET does.

    Raises:
        RequestError: status 405.

    """
    given = scope["method"]
    if given != method and not (method == "GET" and given == "HEAD"):
        raise RequestError(f"{given} {scope['path']}"[:200], f"only {method}", status=405)


def header(scope: Scope, name: bytes) -> bytes:
    """Return the value of a header, or nothing."""
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")


async def body_of(scope: Scope, receive: Receive, hold: Hold) -> bytes:
    """Return the body of a request.

    Raises:
        RequestError: it is too large, or the client went away.

    """
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
