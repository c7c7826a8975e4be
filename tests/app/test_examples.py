from __future__ import annotations

from pathlib import Path

import pytest

from temperance.app.examples import EXAMPLES, Example, example, machines
from temperance.app.folders import WORDS, Studies
from temperance.app.reading import look
from temperance.app.start_pages import begin


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.key)
def test_each_tells_its_story_and_can_be_read(one: Example, tmp_path: Path) -> None:
    assert WORDS.knows(f"example.{one.key}")
    folder = tmp_path / one.key
    begin(one, folder)
    entry = Studies(tmp_path).find(one.key)
    assert entry is not None
    assert entry.project is not None
    found = look(entry.project, folder, tmp_path)
    assert found["error"] is None
    assert found["target"] == one.target
    assert found["task"] == {"few": "multiclass", "rare": "binary", "digits": "multiclass"}[one.key]


def test_the_machines_are_always_the_same_and_few_fail() -> None:
    lines = machines().splitlines()
    assert machines() == machines()
    assert len(lines) == 1501
    assert sum(line.endswith(",yes") for line in lines) == 125


def test_there_is_no_other() -> None:
    assert example("none") is None
    assert example("few") is EXAMPLES[0]
