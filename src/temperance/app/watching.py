"""A served model on this machine: start it, stop it, and ask it how it is. No other machine is ever asked."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from temperance.app.guard import is_loopback
from temperance.app.jobs import Job
from temperance.app.project import home
from temperance.records.errors import SettingError

PATIENCE = 3.0  # seconds for an answer
LARGEST = 1 << 20  # bytes of an answer
STARTING = 40.0  # seconds that a server may take to start
_LINE = re.compile(r"^(?P<name>[a-z_]+)(?P<labels>\{[^}]*\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Health:
    """How a served model is.

    Attributes:
        address: of the server.
        model: its name.
        version: its version.
        uptime: seconds.
        rows: that it answered.
        requests: that it answered.
        refused: requests that were refused or failed.
        milliseconds: mean time of a request that asked for predictions; None before there was one.
        drift: ``calm``, ``watch`` or ``alarm``; empty where nothing watches.
        alarms: since the start.
        evidence: by channel.
        adaptation: what the adapter says; empty where there is none.

    """

    address: str
    model: str = ""
    version: str = ""
    uptime: float = 0.0
    rows: int = 0
    requests: int = 0
    refused: int = 0
    milliseconds: float | None = None
    drift: str = ""
    alarms: int = 0
    evidence: dict[str, float] = field(default_factory=dict)
    adaptation: dict[str, Any] = field(default_factory=dict)


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of a served model on this machine.

    Raises:
        SettingError: it is no address, or one of another machine.

    """
    given = text.strip()
    try:
        parts = urlsplit(given if "://" in given else f"http://{given}")
        host, port = parts.hostname or "", parts.port or 8000
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    if parts.scheme != "http" or not is_loopback(host):
        raise SettingError(
            f"the address {given[:100]!r}", "a server on this machine, such as http://127.0.0.1:8000",
            "For one elsewhere, open a tunnel to it: ssh -L 8000:127.0.0.1:8000 HOST",
        )  # fmt: skip
    return host, port


def ask(text: str) -> Health:
    """Ask a served model how it is.

    Raises:
        SettingError: the address is none of this machine, or nobody answers there as a served model does.

    """
    host, port = address_of(text)
    health, figures = _get(host, port, "/health"), _figures(_get(host, port, "/metrics"))
    try:
        row = json.loads(health)
        model, version = str(row["model"]), str(row["version"])
    except (ValueError, KeyError, TypeError):
        raise SettingError(
            f"what answers at {host}:{port} is no served model", "the address that `temperance serve` says",
            "Check the port",
        ) from None  # fmt: skip
    monitor = row.get("monitor") or {}
    return Health(
        _address(host, port), model, version, float(row.get("uptime_seconds") or 0.0),
        drift=str(monitor.get("state") or ""), adaptation=row.get("adaptation") or {}, **_counted(figures),
    )  # fmt: skip


@dataclass(frozen=True)
class Server:
    """The server of a study's model, where the app started one."""

    folder: Path

    @property
    def job(self) -> Job:
        """Its process."""
        return Job(home(self.folder), "serve")

    def start(self, root: Path) -> None:
        """Start it on a free port of this machine.

        Raises:
            SettingError: it runs already.

        """
        if self.job.is_alive:
            raise SettingError("this model is served already", "one server for a model", "Stop it first")
        place = (self.folder / "bundle").relative_to(root).as_posix()
        self.job.start(["serve", place, "--port=0", "--json"], root)

    @property
    def address(self) -> str:
        """Where it listens; empty where it does not (yet)."""
        return str(self.job.outcome.get("url") or "") if self.job.is_alive else ""

    def wait(self) -> str:
        """Return its address once it listens; empty where it ended instead."""
        end = time.monotonic() + STARTING
        while time.monotonic() < end and self.job.is_alive and not self.address:
            time.sleep(0.1)
        return self.address


def _get(host: str, port: int, path: str) -> bytes:
    connection = HTTPConnection(host, port, timeout=PATIENCE)  # follows no redirect
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read(LARGEST)
    except (OSError, HTTPException) as error:
        raise SettingError(
            f"nobody answers at {host}:{port} ({type(error).__name__})", "a served model that runs",
            "Start it, or check the port",
        ) from error  # fmt: skip
    finally:
        connection.close()
    if response.status != 200:
        raise SettingError(f"{host}:{port} answered {path} with {response.status}", "a served model", "Check the port")
    return body


def _figures(text: bytes) -> list[tuple[str, dict[str, str], float]]:
    """Read Prometheus' text format; lines that are no figure are passed over."""
    found = []
    for line in text.decode("utf-8", errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        found.append((match["name"], dict(_LABEL.findall(match["labels"] or "")), value))
    return found


def _counted(figures: list[tuple[str, dict[str, str], float]]) -> dict[str, Any]:
    totals: dict[str, float] = {}
    requests = refused = 0.0
    evidence = {}
    for name, labels, value in figures:
        totals[name] = totals.get(name, 0.0) + value
        if name == "temperance_requests_total" and labels.get("endpoint") in ("/predict", "/v2/models"):
            requests += value
            refused += value if not labels.get("status", "").startswith("2") else 0.0
        if name == "temperance_drift_evidence":
            evidence[labels.get("channel", "")] = value
    count = totals.get("temperance_request_seconds_count", 0.0)
    spent = 1000 * totals.get("temperance_request_seconds_sum", 0.0)
    return {
        "rows": int(totals.get("temperance_rows_total", 0)), "requests": int(requests), "refused": int(refused),
        "milliseconds": spent / count if count else None, "alarms": int(totals.get("temperance_alarms_total", 0)),
        "evidence": evidence,
    }  # fmt: skip


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
