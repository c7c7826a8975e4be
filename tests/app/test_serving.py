from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from temperance.app import serving
from temperance.app.serving import Served, address_of, check, listen, serve
from temperance.records.errors import DataError, MissingExtra, SettingError


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Notes what would be served instead of serving it."""
    import uvicorn

    seen: list[Any] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: seen.append(sockets[0].getsockname()))
    return seen


def test_on_this_machine_no_token_is_asked_for(tmp_path: Path, ran: list[Any]) -> None:
    said: list[str] = []
    serve(Served(tmp_path / "new", port=0), announce=said.append)
    assert (tmp_path / "new").is_dir()
    assert said == [f"http://127.0.0.1:{ran[0][1]}"]


@pytest.mark.parametrize("where", [{"host": "0.0.0.0"}, {"token": True}])
def test_elsewhere_and_where_it_is_wished_for_a_token_is(
    tmp_path: Path, ran: list[Any], where: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    opened: list[str] = []
    monkeypatch.setattr(serving.webbrowser, "open", opened.append)
    serve(Served(tmp_path, port=0, **where), announce=said.append, browser=True)
    assert len(said[0].split("/?token=")[1]) >= 24
    assert opened == said


def test_what_cannot_be_served_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="not a folder"):
        check(Served(tmp_path / "file"))
    with pytest.raises(SettingError, match="port"):
        check(Served(tmp_path, port=70_000))


def test_a_port_in_use_is_refused_or_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match="--port"):
            listen("127.0.0.1", port)
        monkeypatch.setattr(serving, "PORT", port)
        with listen("127.0.0.1", None) as other:
            assert other.getsockname()[1] > port
            assert address_of(other, "127.0.0.1") == f"http://127.0.0.1:{other.getsockname()[1]}"
    with pytest.raises(SettingError, match="cannot be used"):
        listen("no.such.host.invalid", 0)


@pytest.mark.parametrize("name", ["uvicorn", "python_multipart"])
def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"temperance\[serve\]"):
        serve(Served(tmp_path))
