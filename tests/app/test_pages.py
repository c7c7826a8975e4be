from __future__ import annotations

from pathlib import Path

import pytest

from temperance.app.folders import Entry
from temperance.app.pages import WORDS, fragments, listing, static, study_page, style


def test_the_list_is_escaped_and_says_when_it_is_empty() -> None:
    made = listing((Entry("a<b>", Path("x"), "running", changed=0.0),))
    assert "a&lt;b&gt;" in made
    assert "running" in made
    assert "no study here yet" in listing(())


def test_a_running_study_waits_for_its_report(tmp_path: Path) -> None:
    entry = Entry("now", tmp_path, "running")
    assert "written at the end" in fragments(entry)
    assert "Waiting for the first step" in study_page(entry)


def test_a_study_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text('{"schema": 99}')
    assert "has schema 99" in fragments(Entry("x", tmp_path, "unreadable"))


def test_a_failed_study_says_why(tmp_path: Path) -> None:
    assert "the disk &lt;is&gt; full" in fragments(Entry("x", tmp_path, "failed", why="the disk <is> full"))
    assert "--resume" in fragments(Entry("x", tmp_path, "stopped"))


def test_the_style_is_the_report_s_and_its_own() -> None:
    assert ".finding" in style()
    assert static("app.css") in style()


@pytest.mark.parametrize("state", ["complete", "interrupted", "running", "failed", "stopped", "unreadable"])
def test_every_state_has_words(state: str) -> None:
    assert WORDS.say(f"state.{state}")
