"""Serve a bundle until it is stopped."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from temperance.deployment.bundle import Bundle, load
from temperance.deployment.serve.application import Application
from temperance.deployment.serve.limits import Limits
from temperance.deployment.serve.parts import Level, parts
from temperance.deployment.serve.renewal import Renewal
from temperance.deployment.serve.secured import Secured, tls
from temperance.deployment.serve.several import Together
from temperance.deployment.several import holds_several, load_several
from temperance.records.errors import MissingExtra, SettingError

SPARE_FILES = 64  # for the bundle, the state, the loop


def run(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    level: Level = "observe",
    limits: Limits | None = None,
    state: str | Path | None = None,
    token: str = "",
    workers: int = 1,
    secured: Secured | None = None,
    announce: Callable[[str], None] | None = print,
) -> None:
    """Load a bundle, check it and serve it until Ctrl-C or SIGTERM; what is under way is answered first.

    Args:
        folder: the bundle.
        host: address to listen on; the default is reached from this machine only.
        port: 0 picks a free one.
        level: ``off`` watches nothing; ``observe`` watches for drift; ``shadow`` also reckons what adaptation would do;
            ``adapt`` lets it act, behind its guard. Bundles without reference statistics are always ``off``.
        limits: on bodies, connections and time; see ``Limits``.
        state: folder in which the monitor, labels and the guard's log outlive a restart; None keeps nothing.
        token: for ``/admin/…``; empty: a new one is made and announced.
        workers: processes that answer; one monitor sees what all of them answer.
        secured: certificate and key for HTTPS; None: plain HTTP.
        announce: called with one line once the server listens.

    Raises:
        BundleError: the bundle is damaged, foreign or newer.
        SettingError: the address cannot be used, or settings that do not go together.
        MissingExtra: uvicorn is not installed.

    """
    try:
        import uvicorn

        from temperance.deployment.serve.connections import ACCEPTED, BACKLOG, Server, protocol
    except ImportError as error:
        raise MissingExtra(
            "serving needs the package uvicorn", "it is in the extra 'serve'", "pip install 'temperance[serve]'"
        ) from error
    if secured is not None:
        secured.check()
    limits = limits or Limits()
    secret = token or secrets.token_urlsafe(18)
    if workers > 1 and holds_several(Path(folder)):
        raise SettingError(
            f"{workers} workers for the models of several targets", "one worker serves them all",
            "Leave --workers out, or serve the bundle of one target",
        )  # fmt: skip
    limits = replace(limits, connections=min(limits.connections, _open_files() - SPARE_FILES))
    listener = _listen(host, port, BACKLOG)
    application = None
    try:
        application = opened(Path(folder), level=level, limits=limits, state=state, token=secret, large="process")
        made = "" if token or not application.has_admin else f"; token for /admin: {secret}"
        scheme = "http" if secured is None else "https"
        several = "" if workers == 1 else f" with {workers} workers"
        line = f"Serving {application.title} on {scheme}://{_name(listener)}{several} (stop with Ctrl-C{made})"
        if workers > 1:
            from temperance.deployment.serve.workers import run_workers

            with listener:
                run_workers(
                    application, listener, workers, level=level, limits=limits, secured=secured,
                    announce=None if announce is None else lambda: announce(line),
                )  # fmt: skip
            return
    except BaseException:
        listener.close()
        raise
    if announce:
        announce(line)
    config = uvicorn.Config(
        application, http=protocol(limits), ws="none", log_level="critical", access_log=False, server_header=False,
        date_header=False, lifespan="on", timeout_graceful_shutdown=limits.drain_seconds, backlog=ACCEPTED,
        **tls(secured),
    )  # fmt: skip
    with listener, suppress(KeyboardInterrupt):  # Ctrl-C: uvicorn has answered what was under way and passes it on
        Server(config, application).run(sockets=[listener])


def opened(folder: Path, *, state: str | Path | None = None, **settings: Any) -> Application:
    """Return the application of a bundle, or of a folder of bundles for several targets; ``settings`` as in ``served``.

    Each of several bundles has a folder of its own below ``state``.

    Raises:
        BundleError: a bundle is damaged, foreign or newer.
        SettingError: see ``served``.

    """
    if not holds_several(folder):
        return served(load(folder), state=state, **settings)
    apart = {**settings, "large": "thread"}  # a process for each model would be many
    models = {
        name: served(bundle, state=None if state is None else Path(state) / name, **apart)
        for name, _, bundle in load_several(folder).parts
    }
    return Together(models, limits=settings.get("limits"))


def served(
    bundle: Bundle, *, level: Level = "observe", limits: Limits | None = None, state: str | Path | None = None,
    token: str = "", large: Literal["thread", "process"] = "thread",
) -> Application:  # fmt: skip
    """Return the application of a bundle with its monitor and, from level ``shadow`` on, its guarded adapter.

    Raises:
        BundleError: the state in the folder ``state`` is damaged.
        SettingError: a level that this bundle cannot have, or a folder ``state`` that cannot be used.

    """
    renewal = Renewal(bundle.folder, level=level, state=state, token=token)
    return Application(
        bundle, limits=limits, large=large, renew=renewal, **parts(bundle, level=level, state=state, token=token)
    )


def _open_files() -> int:
    """Return how many files the process may open, after asking for as many as the system allows."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 2**16
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return 2**16 if soft == resource.RLIM_INFINITY else max(SPARE_FILES + 16, soft)


def _listen(host: str, port: int, backlog: int) -> socket.socket:
    """Return a listening socket that sends small answers at once.

    The protocol number is named: asyncio switches Nagle's delay off only where it can read it, and with the delay an
    answer in two writes waits 40 ms for the client's acknowledgement (measured).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SettingError(
            f"cannot listen on {host}:{port}: {error}", "a free port of this machine", "Choose another --port"
        ) from error
    return listener


def _name(listener: socket.socket) -> str:
    address: Any = listener.getsockname()
    return f"[{address[0]}]:{address[1]}" if listener.family == socket.AF_INET6 else f"{address[0]}:{address[1]}"
