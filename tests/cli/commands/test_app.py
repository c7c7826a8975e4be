from __future__ import annotations

import pytest

from temperance.app import serving


def test_the_options_reach_the_app(temperance, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def serve(where, *, announce, browser):
        seen.append((where, browser))
        announce("http://127.0.0.1:1")

    monkeypatch.setattr(serving, "serve", serve)
    done = temperance("app", "--dir", tmp_path, "--port", 9001, "--no-open", "--max-upload", "5MB", "--token")
    where, browser = seen[0]
    assert (where.root, where.port, where.largest, where.token, browser) == (tmp_path, 9001, 5_000_000, True, False)
    assert {"metric", "max-latency", "language"} <= where.known
    assert done.out == "Open http://127.0.0.1:1 (stop with Ctrl-C)\n"
    assert temperance("app", "--json").json == {"status": "serving", "url": "http://127.0.0.1:1"}
    assert seen[1][1] is False  # a program asked: no window is opened


def test_a_folder_that_cannot_be_used_is_said_in_words(temperance, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    done = temperance("app", "--dir", tmp_path / "file", "--no-open")
    assert done.status == 2
    assert "is not a folder" in done.err
