import subprocess

import pytest

from temperance.cli.doctor import terminal
from temperance.cli.doctor.terminal import Terminal, encoding_of


@pytest.mark.parametrize(("encoding", "state"), [("utf-8", "fine"), ("ascii", "look"), ("cp1252", "look")])
def test_an_encoding_that_loses_letters_is_told(encoding: str, state: str) -> None:
    one = encoding_of(encoding)
    assert one.state == state
    assert ("PYTHONUTF8" in one.remedy) == (state == "look")


def test_the_lost_letters_are_shown_in_ascii() -> None:
    assert encoding_of("ascii").said.isascii()


def test_a_locale_that_is_not_installed_is_told(monkeypatch) -> None:
    def refuse(kind, name=None):
        raise terminal.locale.Error("unsupported locale setting")

    monkeypatch.setattr(terminal.locale, "setlocale", refuse)
    states = {one.name: one.state for one in Terminal().examine()}
    assert states["locale"] == "look"


@pytest.mark.parametrize(("listed", "state"), [("DejaVu Sans\nNoto\n", "fine"), ("", "look")])
def test_a_machine_without_fonts_is_told(monkeypatch, listed: str, state: str) -> None:
    monkeypatch.setattr(terminal.shutil, "which", lambda name: "fc-list")
    done = subprocess.CompletedProcess([], 0, stdout=listed)
    monkeypatch.setattr(terminal.subprocess, "run", lambda *words, **options: done)
    found = {one.name: one for one in Terminal().examine()}
    assert found["fonts"].state == state
