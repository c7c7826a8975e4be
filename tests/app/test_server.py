from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from temperance.app.server import create
from temperance.testing.study_example import study_example


class Client:
    """Calls the application without a network."""

    def __init__(self, root: Path) -> None:
        self.app = create(root)

    def call(self, method: str, path: str, **headers: str) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(run())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.call("GET", path, **headers)


EVIL = "<script>alert(1)</script>"


@pytest.fixture
def client(tmp_path: Path) -> Client:
    document = study_example()
    document["data"]["target"] = EVIL
    for name in ("done", "now", "bad name & more", "broken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ledger.jsonl").write_text(json.dumps({"event": "trial", "why": EVIL}) + "\n")
    (tmp_path / "done" / "study.json").write_text(json.dumps(document))
    (tmp_path / "broken" / "study.json").write_text("{")
    return Client(tmp_path)


def test_the_list_names_every_study_and_links_lead_to_it(client: Client) -> None:
    text = client.get("/").text
    assert "/study/bad%20name%20%26%20more/" in text
    assert EVIL not in text
    assert client.get("/study/bad%20name%20%26%20more/").status_code == 200
    names = {entry["name"] for entry in client.get("/api/studies").json()["studies"]}
    assert names == {"done", "now", "broken", "bad name & more"}


def test_a_finished_study_shows_its_report(client: Client) -> None:
    text = client.get("/study/done/").text
    assert text.count('class="part"') == 12
    assert EVIL not in text
    assert client.get("/study/done/fragments").text.count('class="part"') == 12
    assert client.get("/study/done/study.json").json()["schema"] == 1


def test_a_running_or_broken_study_says_so(client: Client) -> None:
    assert "written at the end" in client.get("/study/now/").text
    assert "is not JSON" in client.get("/study/broken/").text
    assert client.get("/study/now/study.json").status_code == 404


def test_progress_by_polling(client: Client) -> None:
    first = client.get("/study/now/progress").json()
    assert first["entries"][0]["event"] == "trial"
    assert first["done"] is False
    again = client.get(f"/study/now/progress?after={first['offset']}").json()
    assert again["entries"] == []
    assert client.get("/study/done/progress").json()["done"] is True


def test_progress_by_events(client: Client) -> None:
    answer = client.get("/study/done/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    body = answer.text
    assert body.index("event: progress") < body.index("event: done")
    assert "event: progress" in client.get("/study/done/events", **{"last-event-id": "100000000"}).text


@pytest.mark.parametrize(
    "path",
    [
        "/study/nothing/",
        "/study/..%2f..%2fetc/",
        "/study/%2e%2e/",
        "/study/done/../../etc/passwd",
        "/nothing",
    ],
)
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("after", ["-1", "x", "1e9", "9" * 40])
def test_a_bad_offset_is_refused(client: Client, after: str) -> None:
    assert client.get(f"/study/now/progress?after={after}").status_code == 400


def test_foreign_hosts_and_writing_are_refused(client: Client) -> None:
    assert client.get("/", host="evil.example").status_code == 400
    assert client.call("POST", "/").status_code == 405
    assert client.call("DELETE", "/study/done/").status_code == 405


@pytest.mark.parametrize("path", ["/", "/study/done/", "/app.js", "/app.css", "/nothing"])
def test_every_answer_has_the_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def test_pages_load_nothing_from_elsewhere_and_hold_no_script_of_their_own(client: Client) -> None:
    for path in ("/", "/study/done/"):
        text = client.get(path).text
        assert "http://" not in text
        assert "https://" not in text
        assert "<script>" not in text
        assert " style=" not in text
    script = client.get("/app.js").text
    assert "innerHTML" not in script
    assert "EventSource" in script
