"""What a server says of itself: its front page, health, metadata, statistics, its description and manual."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from temperance.deployment.serve.answering import Answering
from temperance.deployment.serve.manual import page
from temperance.deployment.serve.metrics import Metrics
from temperance.deployment.serve.openapi import describe
from temperance.deployment.serve.statistics import repository, statistics
from temperance.records.errors import RequestError

STARTED = time.monotonic()


class Pages:
    """Pages about one served bundle.

    Args:
        answering: the bundle with its monitor and adapter.
        metrics: what was counted.
        draining: whether the server is stopping.
        admin: there is ``/admin/…``.

    """

    def __init__(
        self, answering: Answering, metrics: Metrics, draining: Callable[[], bool], *, admin: bool = False
    ) -> None:
        self._admin = admin
        self._answering, self._metrics, self._draining = answering, metrics, draining
        protocol = answering.protocol
        self.reads: dict[str, Callable[[], Any]] = {
            "/": self.about,
            "/health": self.health,
            "/openapi.json": lambda: self._document,
            "/grafana.json": lambda: json.loads((Path(__file__).parent / "grafana.json").read_text()),
            "/v2": protocol.server,
            "/v2/": protocol.server,
            "/v2/health/live": lambda: {"live": True},
            "/v2/health/ready": self.ready,
        }

    def about(self) -> dict[str, Any]:
        """Return name, task, paths and columns."""
        bundle = self._answering.bundle
        paths = [
            "POST /predict", "GET /health", "GET /metrics", "GET /docs", "GET /openapi.json", "GET /grafana.json",
            "GET /v2",
            f"POST /v2/models/{bundle.name}/infer",
        ]  # fmt: skip
        columns = [column.source or column.name for column in bundle.schema.columns]
        return {"model": bundle.name, "task": bundle.task, "paths": paths, "features": [*dict.fromkeys(columns)]}

    def health(self) -> dict[str, Any]:
        """Return how server, monitor and adapter are."""
        one = self._answering
        summary = one.watcher.summary() if one.watcher else None
        return {
            "status": "ok",
            "model": one.bundle.name,
            "version": one.bundle.version,
            "uptime_seconds": round(time.monotonic() - STARTED, 3),
            "monitor": {key: value for key, value in summary.items() if key != "evidence"} if summary else None,
            "adaptation": one.adapter.summary() if one.adapter else None,
        }

    def figures(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None, dict[str, Any] | None]:
        """Return what monitor, adapter and diagnosis say, for ``/metrics``."""
        one = self._answering
        return (
            one.watcher.summary() if one.watcher else None,
            one.adapter.summary() if one.adapter else None,
            one.admin.diagnosis().to_dict() if one.admin is not None else None,
        )

    def ready(self) -> dict[str, Any]:
        """Return that requests are taken.

        Raises:
            RequestError: status 503; the server is stopping.

        """
        if self._draining():
            raise RequestError("the server is stopping", "", "Send the request to another one", status=503)
        return {"ready": True}

    def statistics(self) -> dict[str, Any]:
        """Return counts and times of the served model."""
        return statistics(self._answering.bundle, self._metrics.tally)

    def repository(self) -> list[dict[str, str]]:
        """Return the one model that is served."""
        return repository(self._answering.bundle, ready=not self._draining())

    def docs(self) -> bytes:
        """Return the manual, as HTML."""
        return page(self._document)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return describe(self._answering.bundle, admin=self._admin)
