"""What stands before every page: who may call, from where, with how much; and the headers of every answer."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL = ("127.0.0.1", "localhost", "::1")
LARGEST_UPLOAD = 2**30
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Rules:
    """Who may use the app.

    Attributes:
        host: address that it listens on.
        token: that is needed to use it; empty: none is.
        largest: bytes of an upload.
        secret: stands in every form; what comes without it was not sent from our pages.

    """

    host: str = "127.0.0.1"
    token: str = ""
    largest: int = LARGEST_UPLOAD
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def cookie(self) -> str:
        """Name of the cookie that keeps the token: another app on the same machine has another."""
        return f"temperance-{sha256(self.token.encode()).hexdigest()[:8]}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header names this app; a foreign name that was pointed here does not."""
        name = host_name(host)
        if name in LOCAL or (name and name == self.host.strip("[]").lower()):
            return True
        if self.is_local:
            return False
        return _is_address(name) or name in (socket.gethostname().lower(), socket.getfqdn().lower())

    def is_ours(self, sent: str) -> bool:
        """Whether the secret of a form is ours."""
        return secrets.compare_digest(sent.encode(), self.secret.encode())


def is_loopback(host: str) -> bool:
    """Return whether an address means this machine alone."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, without its port and brackets; empty where it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class Guard:
    """Refuses what must not come in, and adds the security headers to every answer.

    Args:
        app: the application.
        rules: who may use it.
        refuse: writes the page of a refusal, given its status and the key of its text.

    """

    def __init__(self, app: ASGIApp, rules: Rules, refuse: Any) -> None:
        self.app, self.rules, self.refuse = app, rules, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(key.encode(), value.encode()) for key, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await self.refuse(*refused)(scope, receive, sending)
        elif self._brings_token(scope):
            await self._let_in(scope, receive, sending)
        else:
            await self.app(scope, _counted(receive, self.rules.largest), sending)

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        rules = self.rules
        if not rules.knows(headers.get("host", "")):
            return 400, "refused.host"
        if rules.token and not self._brings_token(scope) and not self._is_known(headers):
            return 401, "refused.token"
        if scope["method"] not in ("GET", "HEAD"):
            if not _same_origin(headers):
                return 403, "refused.origin"
            length = headers.get("content-length", "0")
            if not length.isdecimal() or int(length) > rules.largest:
                return 413, "refused.large"
        return None

    def _is_known(self, headers: Headers) -> bool:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return False
        kept = jar[self.rules.cookie].value if self.rules.cookie in jar else ""
        return secrets.compare_digest(kept.encode(), self.rules.token.encode())

    def _brings_token(self, scope: Scope) -> bool:
        if not self.rules.token:
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return secrets.compare_digest(given.encode(), self.rules.token.encode())

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the token in a cookie and go on without it in the address."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        rest = urlencode({key: values for key, values in query.items() if key != "token"}, doseq=True)
        cookie = f"{self.rules.cookie}={self.rules.token}; Path=/; HttpOnly; SameSite=Strict"
        goal = (scope["path"].lstrip("/\\") and "/" + scope["path"].lstrip("/\\")) or "/"
        headers = [(b"location", (goal + (f"?{rest}" if rest else "")).encode()), (b"set-cookie", cookie.encode())]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


class TooLarge(Exception):
    """More came than may be uploaded, whatever the headers said."""


def _counted(receive: Receive, largest: int) -> Receive:
    total = 0

    async def counting() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > largest:
            raise TooLarge
        return message

    return counting


def _same_origin(headers: Headers) -> bool:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is None:
        return True  # no browser sends a form from elsewhere without it; the secret in the form is asked for as well
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(24)
