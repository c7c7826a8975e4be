"""Runs the application on this machine."""

from __future__ import annotations

from pathlib import Path

from temperance.records.errors import DataError, MissingExtra, SettingError


def serve(root: Path, *, host: str = "127.0.0.1", port: int = 8765) -> None:
    """Serve the studies below a folder until it is stopped.

    Raises:
        DataError: the folder does not exist.
        SettingError: ``host`` is not this machine: the page has no login, so it is not offered to a network.
        MissingExtra: starlette or uvicorn is not installed.

    """
    check(root, host, port)
    try:
        import uvicorn

        from temperance.app.server import create
    except ImportError as error:
        name = error.name or "starlette"
        raise MissingExtra(
            f"{name} is not installed", "the page needs it", "pip install 'temperance[serve]'"
        ) from error
    uvicorn.run(create(root), host=host, port=port, log_level="warning", access_log=False)


def check(root: Path, host: str, port: int) -> None:
    """Refuse a folder, a host or a port that cannot be served.

    Raises:
        DataError: ``root`` is not a folder.
        SettingError: a host that others can reach, or a port outside 0 … 65535.

    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder", "a folder that holds studies", "Name the folder given to `--out`")
    if not local(host):
        accepted = "an address of this machine, such as 127.0.0.1"
        raise SettingError(f"host {host!r}", accepted, "Use an SSH tunnel to look from elsewhere")
    if not 0 <= port <= 65535:
        raise SettingError(f"port {port}", "a port from 0 to 65535", "Leave it out to use 8765")


def local(host: str) -> bool:
    """Whether a host name means this machine alone, and is one that the application answers to."""
    return host in ("127.0.0.1", "localhost")
