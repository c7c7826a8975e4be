"""Counters of the server in Prometheus' text format."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATES = {"calm": 0, "watch": 1, "alarm": 2}
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Tally:
    """Sums for the statistics of the protocol."""

    def __init__(self) -> None:
        self.good = self.bad = self.rows = self.runs = 0
        self.good_seconds = self.bad_seconds = self.run_seconds = 0.0
        self.last = 0.0

    def request(self, good: bool, seconds: float, count: int) -> None:
        """Add requests."""
        if good:
            self.good, self.good_seconds = self.good + count, self.good_seconds + seconds
        else:
            self.bad, self.bad_seconds = self.bad + count, self.bad_seconds + seconds

    def run(self, rows: int, seconds: float, requests: int) -> None:
        """Add a run of the graph."""
        self.rows, self.runs, self.run_seconds = self.rows + rows, self.runs + 1, self.run_seconds + seconds
        self.last = time.time()


class Metrics:
    """Requests by endpoint and status, their time, rows, and the state of the monitor."""

    def __init__(self, model: str, version: str) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "temperance_requests",
            "Requests by endpoint and HTTP status",
            ["endpoint", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "temperance_request_seconds", "Time of a prediction request", buckets=BUCKETS, registry=self._registry
        )
        self._rows = Counter("temperance_rows", "Rows that were predicted", registry=self._registry)
        self._verdicts = Counter("temperance_alarms", "Drift alarms since the start", registry=self._registry)
        self._state = Gauge("temperance_drift_state", "0 calm, 1 watch, 2 alarm", registry=self._registry)
        self._evidence = Gauge(
            "temperance_drift_evidence", "Evidence of drift by channel", ["channel"], registry=self._registry
        )
        self._unseen = Counter(
            "temperance_unseen_rows", "Rows that the monitor did not see: it was behind", registry=self._registry
        )
        self._changed = Gauge(
            "temperance_changed_answers", "Answers of another class than the source model's", registry=self._registry
        )
        self._adaptation = Gauge(
            "temperance_adaptation", "What is served, and why; always 1",
            ["level", "state", "serving", "why"], registry=self._registry,
        )  # fmt: skip
        self._diagnosis = Gauge(
            "temperance_diagnosis", "Likely cause of a change, and the next step; always 1",
            ["cause", "step"], registry=self._registry,
        )  # fmt: skip
        self._info = Gauge(
            "temperance_model", "The served model; always 1", ["name", "version"], registry=self._registry
        )
        self.rows = 0
        self._children: dict[tuple[str, int], Any] = {}
        self.tally = Tally()
        self.serves(model, version)

    def serves(self, model: str, version: str) -> None:
        """Name the served model; statistics of the one before end."""
        self._info.clear()
        self._info.labels(model, version).set(1)
        self.tally = Tally()

    def request(self, endpoint: str, status: int, *, seconds: float = 0.0, count: int = 1) -> None:
        """Count requests; ``seconds`` is what they took in all, the arrival of a body included."""
        key = (endpoint, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(endpoint, str(status))
        child.inc(count)
        if endpoint in ("/predict", "/v2/models/infer"):
            self.tally.request(status < 400, seconds, count)

    def prediction(self, rows: int, seconds: float, *, requests: int = 1) -> None:
        """Count predicted rows and the time that the run for some requests took."""
        self.rows += rows
        self._rows.inc(rows)
        self._seconds.observe(seconds)
        self.tally.run(rows, seconds, requests)

    def unseen(self, rows: int) -> None:
        """Count rows that the monitor did not see."""
        self._unseen.inc(rows)

    def alarms(self, count: int) -> None:
        """Count drift alarms."""
        self._verdicts.inc(count)

    def text(
        self, summary: Mapping[str, Any] | None, adaptation: Mapping[str, Any] | None = None,
        diagnosis: Mapping[str, Any] | None = None,
    ) -> bytes:  # fmt: skip
        """Return all figures.

        Args:
            summary: the monitor's.
            adaptation: the adapter's summary; its sentences stand in ``/health``, a label holds words of fixed lists.
            diagnosis: cause and step among others.

        """
        self._adaptation.clear()
        self._diagnosis.clear()
        if adaptation:
            words = [str(adaptation.get(key, "")) for key in ("level", "state", "serving", "why")]
            self._adaptation.labels(*words).set(1)
            self._changed.set(adaptation.get("answers_changed", 0))
        if diagnosis:
            self._diagnosis.labels(str(diagnosis["cause"]), str(diagnosis["step"])).set(1)
        if summary:
            self._state.set(STATES.get(str(summary.get("state")), 0))
            for channel, value in dict(summary.get("evidence", {})).items():
                self._evidence.labels(channel).set(value)
        return bytes(generate_latest(self._registry))
