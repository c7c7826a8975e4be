"""The chapters of docs/tutorial run, solve their exercises, and print what the page shows."""

import importlib
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(p for p in (ROOT / "docs" / "tutorial").glob("*.md") if p.name[0].isdigit())
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
SOLUTION = re.compile(r"^\*\*Exercise (\d\.\d)\.\*\*.*?<details markdown=\"1\">(.*?)</details>", flags=re.M | re.S)


@pytest.fixture
def tutorial(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    yield importlib.import_module("run_tutorial")
    sys.modules.pop("run_tutorial", None)


def alike(told: str, shown: str) -> bool:
    """Return whether the words are the same and the numbers near: other processors round otherwise."""
    if NUMBER.sub("#", told) != NUMBER.sub("#", shown):
        return False
    pairs = zip(NUMBER.findall(told), NUMBER.findall(shown), strict=True)
    return all(abs(float(a) - float(b)) <= 0.1 + 0.25 * abs(float(b)) for a, b in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_prints_what_its_page_shows(tutorial, path: Path, tmp_path, monkeypatch) -> None:
    import torch

    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    for hit, told in tutorial.ran(text, path.name):  # assertions of the solutions raise
        assert alike(told, hit["told"] or ""), f"it printed\n{told}\nbut the page shows\n{hit['told']}"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_each_exercise_has_a_folded_solution_that_checks_itself(path: Path) -> None:
    solved = SOLUTION.findall(path.read_text(encoding="utf-8"))
    assert [number for number, _ in solved] == [f"{path.name[0]}.{i}" for i in range(1, len(solved) + 1)]
    assert len(solved) >= 2
    for _, body in solved:
        assert "<summary>Solution</summary>" in body
        assert re.search(r"^assert ", body, flags=re.M)


def test_there_are_five_chapters_and_each_leads_to_the_next() -> None:
    assert [p.name[0] for p in CHAPTERS] == list("12345")
    for path, following in pairwise(CHAPTERS):
        assert f"]({following.name})" in path.read_text(encoding="utf-8")


def test_outputs_are_put_under_their_code(tutorial) -> None:
    page = "Words.\n\n```python\nprint(1 + 1)\n```\n\n```text\nold\n```\n\nMore.\n\n```python\nx = 1\n```\n"
    assert tutorial.filled(page, "p") == page.replace("old", "2")


def test_numbers_may_differ_a_little_and_words_not_at_all() -> None:
    assert alike("loss 0.40 of 3", "loss 0.45 of 3")
    assert not alike("loss 0.40", "loss 1.40")
    assert not alike("better 0.40", "loss 0.40")
