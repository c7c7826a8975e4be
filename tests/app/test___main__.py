from __future__ import annotations

from pathlib import Path

import pytest

from temperance.app import __main__ as command


def test_it_serves_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Path, str, int]] = []
    monkeypatch.setattr(command, "serve", lambda root, *, host, port: calls.append((root, host, port)))
    assert command.main([str(tmp_path), "--port", "9001"]) == 0
    assert calls == [(tmp_path, "127.0.0.1", 9001)]


def test_an_error_is_one_line_and_not_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("Error: ")
