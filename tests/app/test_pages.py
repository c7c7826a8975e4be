from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from temperance.app.folders import Entry
from temperance.app.pages import counted, next_step, open_steps, page, report_of, size, static, style
from temperance.app.project import Project

PROJECT = Project("a", {"kind": "file", "name": "a"}, target="y")


def entry(folder: Path, state: str, **more: object) -> Entry:
    return replace(Entry("a<b>", folder, state), **more)  # type: ignore[arg-type]


def test_the_list_is_escaped_and_names_every_state(tmp_path: Path) -> None:
    made = page("studies", entries=(entry(tmp_path, "failed", why="<i>why</i>"),))
    assert "a&lt;b&gt;" in made
    assert "/study/a%3Cb%3E/" in made
    assert "&lt;i&gt;why" in made


@pytest.mark.parametrize(
    ("state", "project", "bundle", "steps", "following"),
    [
        ("draft", PROJECT, False, ("data", "check", "study"), "data"),
        ("running", PROJECT, False, ("data", "check", "study"), "study"),
        ("complete", PROJECT, True, ("data", "check", "study", "report", "try", "take", "watch"), "report"),
        ("complete", None, False, ("study", "report", "take"), "report"),
        ("failed", None, False, ("study",), "study"),
    ],
)
def test_only_steps_that_can_be_gone_to_are_open(
    tmp_path: Path, state: str, project: Project | None, bundle: bool, steps: tuple[str, ...], following: str
) -> None:
    if bundle:
        (tmp_path / "bundle").mkdir()
        (tmp_path / "bundle" / "manifest.json").write_text("{}")
    made = entry(tmp_path, state, project=project)
    assert open_steps(made) == steps
    assert next_step(made) == following


def test_a_report_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text('{"schema": 99}')
    assert "has schema 99" in report_of(entry(tmp_path, "complete"))["fault"]


def test_small_tools() -> None:
    assert [size(one) for one in (12, 1500, 2_000_000, 3 * 10**9)] == ["12 bytes", "1.5 kB", "2.0 MB", "3.0 GB"]
    states = counted(
        [{"state": "look_at_this"}, {"state": "no_problem_found", "confidence": {"planted": 9, "found": 0}}]
    )
    assert states == {"fix_before_use": 0, "look_at_this": 1, "no_problem_found": 0, "not_tested": 1}
    assert ".finding" in style()
    assert static("app.css") in style()
