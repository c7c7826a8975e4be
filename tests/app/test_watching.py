from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from tests.app.conftest import Started, end

from temperance.app.watching import Server, address_of, ask
from temperance.deployment import load
from temperance.deployment.serve.launch import served
from temperance.records.errors import SettingError


class Answers(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def do_GET(self) -> None:
        status, body = self.pages.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():  # type: ignore[no-untyped-def]
    made = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


def test_a_served_model_says_how_it_is(server: str, model: Path) -> None:
    application = served(load(model))
    application.serve(_rows(application))
    application.metrics.request("/predict", 200)
    application.metrics.request("/predict", 422)
    summary = application.watcher.summary() if application.watcher else None
    Answers.pages = {
        "/health": (200, json.dumps(application._pages.health()).encode()),
        "/metrics": (200, application.metrics.text(summary)),
    }
    found = ask(server)
    assert found.address == f"http://{server}"
    assert (found.rows, found.requests, found.refused) == (1, 2, 1)
    assert found.model == application.bundle.name
    assert (found.drift, found.evidence) == ("", {})  # this bundle has nothing to compare with
    assert found.milliseconds is not None


def test_what_the_monitor_says_is_told(server: str) -> None:
    health = {"model": "m", "version": "v", "uptime_seconds": 2, "monitor": {"state": "alarm"}, "adaptation": None}
    figures = b'temperance_drift_evidence{channel="inputs"} 12.5\ntemperance_alarms_total 2.0\nodd line\n'
    Answers.pages = {"/health": (200, json.dumps(health).encode()), "/metrics": (200, figures)}
    found = ask(server)
    assert (found.drift, found.alarms, found.evidence) == ("alarm", 2, {"inputs": 12.5})


def _rows(application):  # type: ignore[no-untyped-def]
    return application.answering.intake.rows([{"size": 1.0, "weight": 0.0, "colour": "red"}])


@pytest.mark.parametrize("pages", [{}, {"/health": (200, b"[]"), "/metrics": (200, b"")}, {"/health": (302, b"")}])
def test_what_is_no_served_model_is_said_in_words(server: str, pages: dict[str, tuple[int, bytes]]) -> None:
    Answers.pages = pages
    with pytest.raises(SettingError):
        ask(server)


def test_nobody_at_home_is_said_in_words() -> None:
    with pytest.raises(SettingError, match="nobody answers"):
        ask("127.0.0.1:9")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http://127.0.0.1:8000/metrics", ("127.0.0.1", 8000)),
        ("localhost:81", ("localhost", 81)),
        ("[::1]:9", ("::1", 9)),
    ],
)
def test_an_address_of_this_machine_is_taken(text: str, place: tuple[str, int]) -> None:
    assert address_of(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://10.0.0.1:80",
        "https://127.0.0.1",
        "file:///etc/passwd",
        "http://127.0.0.1@example.org",
        "http://[",
        "x:y",
    ],
)
def test_no_other_machine_is_ever_asked(text: str) -> None:
    with pytest.raises(SettingError, match="this machine"):
        address_of(text)


def test_one_server_for_a_model(study: Path, started: Started) -> None:
    server = Server(study)
    server.start(study.parent)
    with pytest.raises(SettingError, match="served already"):
        server.start(study.parent)
    (study / "app" / "serve.out").write_text('{"url": "http://127.0.0.1:5"}\n')
    assert server.wait() == "http://127.0.0.1:5"
    end(study, "serve")
    assert server.address == ""
    assert server.wait() == ""
