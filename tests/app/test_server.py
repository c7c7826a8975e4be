from __future__ import annotations

from pathlib import Path

import pytest
from tests.app.conftest import Client

from temperance.app import start_pages
from temperance.app.server import create

EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "path",
    [
        "/study/nothing/", "/study/..%2f..%2fetc/", "/study/%2e%2e/", "/nothing", "/study/done/take/..%2f..%2fx",
        "/study/done/take/ledger.jsonl", "/study/done/predictions/x.csv", "/study/done/data",
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_in_words(client: Client, study: Path, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "nothing of this name" in answer.text


def test_a_wrong_method_is_said_in_words(client: Client) -> None:
    for method, path in (("DELETE", "/"), ("POST", "/api/studies"), ("GET", "/upload")):
        answer = client.call(method, path, data={"secret": client.rules.secret} if method == "POST" else None)
        assert answer.status_code == 405
        assert "Go back" in answer.text


def test_a_fault_of_ours_is_no_traceback(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(EVIL)

    monkeypatch.setattr(start_pages, "begin", broken)
    answer = client.post("/example/few")
    assert answer.status_code == 500
    assert "Nothing was lost" in answer.text
    assert "Traceback" not in answer.text
    assert "alert" not in answer.text


def test_a_full_disk_is_said_in_words(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(start_pages, "begin", full)
    answer = client.post("/example/few")
    assert answer.status_code == 500
    assert "No space left" in answer.text


def test_pages_hold_no_script_or_style_of_their_own_and_load_nothing_from_elsewhere(
    client: Client, study: Path
) -> None:
    for path in ("/", "/watch", "/study/done/report", "/study/done/try", "/study/done/take", "/study/done/remove"):
        text = client.get(path).text
        assert "<script>" not in text
        assert "<style" not in text
        assert " onclick" not in text
        assert 'src="http' not in text
    assert "innerHTML" not in client.get("/app.js").text


def test_it_may_be_made_without_rules(tmp_path: Path) -> None:
    assert {"/", "/app.css", "/watch", "/study/{name}/report"} <= {
        getattr(one, "path", "") for one in create(tmp_path).routes
    }
