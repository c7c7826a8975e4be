from __future__ import annotations

import sys
from pathlib import Path

import pytest

from temperance.app.serving import check, local, serve
from temperance.records.errors import DataError, MissingExtra, SettingError


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", False),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.2", False),
        ("example.org", False),
    ],
)
def test_only_this_machine(host: str, answer: bool) -> None:
    assert local(host) is answer


def test_what_cannot_be_served_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="tunnel"):
        check(tmp_path, "0.0.0.0", 8000)
    with pytest.raises(SettingError, match="port"):
        check(tmp_path, "127.0.0.1", 70_000)
    with pytest.raises(DataError, match="not a folder"):
        check(tmp_path / "none", "127.0.0.1", 8000)


def test_a_missing_server_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtra, match=r"temperance\[serve\]"):
        serve(tmp_path)


def test_it_listens_on_this_machine_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn

    calls = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **settings: calls.append(settings))
    serve(tmp_path, port=9000)
    assert (calls[0]["host"], calls[0]["port"]) == ("127.0.0.1", 9000)
