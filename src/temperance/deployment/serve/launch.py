"""Serve a bundle until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from temperance.deployment.bundle import Bundle, load
from temperance.deployment.serve.application import Application
from temperance.deployment.serve.limits import Limits
from temperance.deployment.serve.watch import PostProcessor, Watcher
from temperance.records.errors import MissingExtra, SettingError

BACKLOG = 2048  # connections that wait to be accepted
SPARE_FILES = 64  # for the bundle, the state, the loop
Level = Literal["off", "observe", "shadow", "adapt"]


def run(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    level: Level = "observe",
    limits: Limits | None = None,
    announce: Callable[[str], None] | None = print,
) -> None:
    """Load a bundle, check it and serve it until Ctrl-C.

    Args:
        folder: the bundle.
        host: address to listen on; the default is reached from this machine only.
        port: 0 picks a free one.
        level: ``off`` watches nothing; ``observe`` watches for drift; ``shadow`` also reckons what adaptation would do;
            ``adapt`` lets it act, behind its guard. Bundles without reference statistics are always ``off``.
        limits: on bodies, connections and time; see ``Limits``.
        announce: called with one line once the server listens.

    Raises:
        BundleError: the bundle is damaged, foreign or newer.
        SettingError: the address cannot be used.
        MissingExtra: uvicorn is not installed.

    """
    try:
        import uvicorn

        from temperance.deployment.serve.connections import Server, protocol
    except ImportError as error:
        raise MissingExtra(
            "serving needs the package uvicorn", "it is in the extra 'serve'", "pip install 'temperance[serve]'"
        ) from error
    limits = limits or Limits()
    application = served(load(folder), level=level, limits=limits)
    limits = replace(limits, connections=min(limits.connections, _open_files() - SPARE_FILES))
    listener = _listen(host, port)
    if announce is not None:
        announce(f"Serving {application.bundle.name} on http://{_name(listener)} (stop with Ctrl-C)")
    config = uvicorn.Config(
        application, http=protocol(limits), ws="none", log_level="critical", access_log=False, server_header=False,
        date_header=False, lifespan="on", timeout_graceful_shutdown=limits.drain_seconds, backlog=BACKLOG,
    )  # fmt: skip
    with listener, suppress(KeyboardInterrupt):  # Ctrl-C: uvicorn has answered what was under way and passes it on
        Server(config, application).run(sockets=[listener])


def served(bundle: Bundle, *, level: Level = "observe", limits: Limits | None = None) -> Application:
    """Return the application of a bundle with its monitor and, from level ``shadow`` on, its guarded adapter."""
    return Application(bundle, watcher=_watcher(bundle, level), adapter=_adapter(bundle, level), limits=limits)


def _watcher(bundle: Bundle, level: Level) -> Watcher | None:
    if level == "off" or bundle.reference is None:
        return None
    from temperance.monitoring.monitor import Monitor

    return Monitor(bundle.reference, bundle.schema)


def _adapter(bundle: Bundle, level: Level) -> PostProcessor | None:
    reference = bundle.reference
    if level not in ("shadow", "adapt") or reference is None:
        return None
    if not bundle.classes or "sample_target" not in reference:
        raise SettingError(
            f"the level {level!r} for this bundle",
            "adaptation corrects class shares: it needs a classification bundle with true classes in its reference",
            "Serve at level observe",
        )
    from temperance.adaptation.adapters.label_shift import LabelShift
    from temperance.adaptation.guard import Guarded

    return Guarded(LabelShift(), reference, level=level)  # type: ignore[arg-type]


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


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket that sends small answers at once.

    The protocol number is named: asyncio switches Nagle's delay off only where it can read it, and with the delay an
    answer in two writes waits 40 ms for the client's acknowledgement (measured).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SettingError(
            f"cannot listen on {host}:{port}: {error}", "a free port of this machine", "Choose another --port"
        ) from error
    return listener


def _name(listener: socket.socket) -> str:
    address: Any = listener.getsockname()
    return f"[{address[0]}]:{address[1]}" if listener.family == socket.AF_INET6 else f"{address[0]}:{address[1]}"
