"""Runs the application: on this machine, or behind a token for others."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from temperance.records.errors import DataError, MissingExtra, SettingError

PORT = 8765
NEXT = 20  # ports that are tried after the usual one


@dataclass(frozen=True)
class Served:
    """Where the app is and who may use it.

    Attributes:
        root: the folder that it reads and writes; made where it is missing.
        host: address to listen on.
        port: 0 picks a free one; None the usual one, or the next that is free.
        token: ask for a token on this machine too; elsewhere one is always asked for.
        largest: bytes of an upload.
        known: options of `temperance study`.

    """

    root: Path
    host: str = "127.0.0.1"
    port: int | None = None
    token: bool = False
    largest: int = 2**30
    known: frozenset[str] = frozenset()


def serve(where: Served, *, announce: Callable[[str], None] = print, browser: bool = False) -> None:
    """Serve until Ctrl-C.

    Args:
        where: and for whom.
        announce: called with the address once it listens.
        browser: open it there.

    Raises:
        DataError: the folder cannot be used.
        SettingError: the address cannot be used.
        MissingExtra: a package of the extra ``serve`` is not installed.

    """
    check(where)
    try:
        import python_multipart  # noqa: F401  # starlette asks for it when the first form comes: too late
        import uvicorn

        from temperance.app.guard import Rules, is_loopback, token
        from temperance.app.server import create
    except ImportError as error:
        name = error.name or "starlette"
        raise MissingExtra(f"{name} is not installed", "the app needs it", "pip install 'temperance[serve]'") from error
    secret = token() if where.token or not is_loopback(where.host) else ""
    listener = listen(where.host, where.port)
    rules = Rules(host=where.host, token=secret, largest=where.largest)
    address = address_of(listener, where.host) + (f"/?token={secret}" if secret else "")
    announce(address)
    if browser:
        webbrowser.open(address)
    config = uvicorn.Config(
        create(where.root, rules=rules, known=where.known), log_level="warning", access_log=False,
        server_header=False, lifespan="on", timeout_graceful_shutdown=2,
    )  # fmt: skip
    with listener, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def check(where: Served) -> None:
    """Refuse a folder or a port that cannot be served; make the folder.

    Raises:
        DataError: it is no folder, or cannot be made.
        SettingError: a port outside 0 … 65535.

    """
    if where.port is not None and not 0 <= where.port <= 65535:
        raise SettingError(f"port {where.port}", "a port from 0 to 65535", f"Leave it out to use {PORT}")
    try:
        where.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{where.root} is not a folder ({error.strerror or error})", "a folder, or a name for a new one",
            "Choose another --dir",
        ) from error  # fmt: skip


def listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens; without a port the usual one, or the next that is free.

    Raises:
        SettingError: it cannot be had.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reason: Exception | None = None
    for one in [port] if port is not None else range(PORT, PORT + NEXT):
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host.strip("[]"), one))
            made.listen(128)
        except (OSError, UnicodeError) as error:
            made.close()
            reason = error
            continue
        return made
    told = f"--host {host} --port {port}" if port is not None else f"--host {host}"
    raise SettingError(
        f"{told} cannot be used ({getattr(reason, 'strerror', None) or reason})",
        "an address of this machine and a free port", "Use --port 0 for a free port",
    )  # fmt: skip


def address_of(listener: socket.socket, host: str) -> str:
    """Return the address to open; for one that means all, this machine's name."""
    port = listener.getsockname()[1]
    name = socket.gethostname() if host in ("0.0.0.0", "::", "[::]") else host
    return f"http://[{name.strip('[]')}]:{port}" if ":" in name else f"http://{name}:{port}"
