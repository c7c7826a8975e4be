from __future__ import annotations

from pathlib import Path

import pytest
from tests.app.conftest import Client

from temperance.app.guard import HEADERS, Rules, host_name, is_loopback, token


@pytest.mark.parametrize(
    ("host", "bound", "known"),
    [
        ("127.0.0.1:8765", "127.0.0.1", True),
        ("localhost:8765", "127.0.0.1", True),
        ("[::1]:8765", "127.0.0.1", True),
        ("evil.example", "127.0.0.1", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("10.0.0.2", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("10.0.0.2:8765", "0.0.0.0", True),
        ("evil.example", "0.0.0.0", False),
        ("box.lan", "box.lan", True),
    ],
)
def test_only_names_of_the_app_are_answered(host: str, bound: str, known: bool) -> None:
    assert Rules(host=bound).knows(host) is known


def test_a_host_is_cut_to_its_name() -> None:
    assert [host_name(one) for one in ("a.b:80", "[::1]:80", "[bad", "A.")] == ["a.b", "::1", "", "a"]
    assert [is_loopback(one) for one in ("127.8.8.8", "::1", "localhost", "0.0.0.0", "x")] == [True] * 3 + [False] * 2
    assert token() != token()


def test_a_name_that_was_pointed_here_is_refused(client: Client) -> None:
    answer = client.get("/", host="evil.example")
    assert answer.status_code == 400
    assert "not one of the app" in answer.text


@pytest.mark.parametrize("path", ["/", "/app.js", "/app.css", "/nothing", "/study/x/"])
def test_every_answer_has_the_headers(client: Client, path: str) -> None:
    answer = client.get(path)
    assert {key: answer.headers[key] for key in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(client: Client, headers: dict[str, str]) -> None:
    answer = client.post("/example/few", headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text
    assert list(client.root.iterdir()) == []


def test_our_own_form_is_taken_and_one_without_its_secret_is_not(client: Client) -> None:
    ours = {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}
    assert client.post("/example/few", headers=ours).status_code == 303
    answer = client.call("POST", "/example/few", data={"secret": "guessed"})
    assert answer.status_code == 403
    assert "load the page anew" in answer.text
    assert len(list(client.root.iterdir())) == 1


def test_a_token_is_asked_for_and_then_kept(tmp_path: Path) -> None:
    client = Client(tmp_path, token="long-secret")
    for path in ("/", "/app.css", "/api/studies", "/?token=wrong"):
        assert client.get(path).status_code == 401
    assert client.post("/example/few").status_code == 401
    let_in = client.get("/study/x/report?token=long-secret&a=b")
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/study/x/report?a=b")
    cookie = let_in.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    kept = cookie.split(";")[0]
    assert client.get("/", cookie=kept).status_code == 200
    assert client.get("/", cookie=kept[:-1]).status_code == 401
    assert client.get("/", cookie='"\\broken').status_code == 401


def test_going_on_never_leads_to_another_site(tmp_path: Path) -> None:
    client = Client(tmp_path, token="t")
    assert client.get("http://127.0.0.1:8765//evil.example/?token=t").headers["location"].startswith("/evil.example/")


def test_more_than_may_be_uploaded_is_refused(tmp_path: Path) -> None:
    client = Client(tmp_path, largest=2000)
    answer = client.post("/upload", file=("a.csv", b"x" * 5000))
    assert answer.status_code == 413
    assert "--max-upload" in answer.text

    async def body():  # type: ignore[no-untyped-def]
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 1000

    sly = {"content-type": "multipart/form-data; boundary=b", "transfer-encoding": "chunked"}
    assert client.call("POST", "/upload", headers=sly, content=body()).status_code == 413
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_form_is_refused_in_words(client: Client) -> None:
    sent = {"content-type": "multipart/form-data; boundary=b"}
    answer = client.call("POST", "/upload", headers=sent, content=b"nonsense")
    assert answer.status_code == 400
    assert "no form of the app" in answer.text
