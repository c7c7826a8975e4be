"""Serve a bundle until it is stopped."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from temperance.deployment.bundle import Bundle, load
from temperance.deployment.serve.application import Application
from temperance.deployment.serve.keep import GuardMemory, Keep, Stateful
from temperance.deployment.serve.limits import Limits
from temperance.deployment.serve.recent import Recent
from temperance.deployment.serve.several import Together
from temperance.deployment.several import holds_several, load_several
from temperance.records.errors import MissingExtra, SettingError

if TYPE_CHECKING:
    from temperance.adaptation.guard import Guarded
    from temperance.monitoring.degradation import LossMonitor
    from temperance.monitoring.monitor import Monitor

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
    state: str | Path | None = None,
    token: str = "",
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
        state: folder in which the monitor, labels and the guard's log outlive a restart; None keeps nothing.
        token: for ``/admin/…``; empty: a new one is made and announced.
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
    secret = token or secrets.token_urlsafe(18)
    application = opened(Path(folder), level=level, limits=limits, state=state, token=secret)
    limits = replace(limits, connections=min(limits.connections, _open_files() - SPARE_FILES))
    listener = _listen(host, port)
    if announce is not None:
        made = f"; token for /admin: {secret}" if application.has_admin and not token else ""
        announce(f"Serving {application.title} on http://{_name(listener)} (stop with Ctrl-C{made})")
    config = uvicorn.Config(
        application, http=protocol(limits), ws="none", log_level="critical", access_log=False, server_header=False,
        date_header=False, lifespan="on", timeout_graceful_shutdown=limits.drain_seconds, backlog=BACKLOG,
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
    parts = {
        name: served(bundle, state=None if state is None else Path(state) / name, **settings)
        for name, _, bundle in load_several(folder).parts
    }
    return Together(parts, limits=settings.get("limits"))


def served(
    bundle: Bundle, *, level: Level = "observe", limits: Limits | None = None, state: str | Path | None = None,
    token: str = "",
) -> Application:  # fmt: skip
    """Return the application of a bundle with its monitor and, from level ``shadow`` on, its guarded adapter.

    Raises:
        BundleError: the state in the folder ``state`` is damaged.
        SettingError: a level that this bundle cannot have, or a folder ``state`` that cannot be used.

    """
    monitor = _monitor(bundle, level)
    if monitor is None:
        return Application(bundle, limits=limits)
    from temperance.deployment.serve.admin import Admin

    guard, loss = _guard(bundle, level, monitor), _loss(bundle)
    recent = Recent(monitor.reference["sample"].shape[1:])
    admin = Admin(bundle, token, monitor=monitor, recent=recent, loss=loss, adapter=guard)
    keep = None
    if state is not None:
        parts: dict[str, Stateful] = {"monitor": monitor, "recent": recent}
        if loss is not None:
            parts["loss"] = loss
        if guard is not None:
            parts["guard"] = GuardMemory(guard)
        keep = Keep(Path(state), bundle.version, parts)
        keep.load()
    return Application(bundle, watcher=monitor, adapter=guard, admin=admin, keep=keep, limits=limits)


def _monitor(bundle: Bundle, level: Level) -> Monitor | None:
    if level == "off" or bundle.reference is None:
        return None
    from temperance.monitoring.monitor import Monitor

    return Monitor(bundle.reference, bundle.schema)


def _loss(bundle: Bundle) -> LossMonitor | None:
    """Return what judges labelled answers: errors, or values outside the interval; None without a figure at release."""
    from temperance.monitoring.degradation import LossMonitor, ceiling_of

    reference = dict(bundle.reference or {})
    if not bundle.classes:
        if not bundle.has_interval:
            return None
        stated = bundle.card["interval"]
        reference["loss"] = np.array([1 - float(stated["level"]), 0.0, max(1, int(stated.get("n") or 1))])
    return LossMonitor(ceiling_of(reference)) if "loss" in reference else None


def _guard(bundle: Bundle, level: Level, monitor: Monitor) -> Guarded | None:
    reference = monitor.reference
    if level not in ("shadow", "adapt"):
        return None
    if not bundle.classes or "sample_target" not in reference:
        raise SettingError(
            f"the level {level!r} for this bundle",
            "adaptation corrects class shares: it needs a classification bundle with true classes in its reference",
            "Serve at level observe",
        )
    from temperance.adaptation.adapters.label_shift import LabelShift
    from temperance.adaptation.guard import Guarded
    from temperance.adaptation.inputs import InputCheck

    inputs = InputCheck(monitor) if "class_counts" in reference else None
    return Guarded(LabelShift(), reference, level=level, inputs=inputs, clock=time.time)  # type: ignore[arg-type]


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
