"""What a request holds: its id, method, headers and body, read from ASGI."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from temperance.deployment.serve.limits import Hold
from temperance.records.errors import RequestError
from temperance.records.plain_names import is_plain

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def request_id(scope: Scope) -> str:
    """Return the request id that the client gave, where it is plain, or a new one."""
    for key, value in scope["headers"]:
        if key == b"x-request-id":
            given = value.decode("latin-1")
            if is_plain(given):
                return str(given)
    return uuid.uuid4().hex


def check_method(scope: Scope, method: str) -> None:
    """Refuse another method; HEAD stands for GET.

    Raises:
        RequestError: status 405.

    """
    given = scope["method"]
    if given != method and not (method == "GET" and given == "HEAD"):
        raise RequestError(f"{given} {scope['path']}"[:200], f"only {method}", status=405)


def header(scope: Scope, name: bytes) -> bytes:
    """Return a header's value, empty where it is not there."""
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")


async def read_body(scope: Scope, receive: Receive, hold: Hold) -> bytes:
    """Return the body, counted while it arrives.

    Raises:
        RequestError: 413, it is too large; 503, too much is held already; 400, the client went away.

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
