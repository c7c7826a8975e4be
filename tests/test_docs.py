"""The docs hold: snippets run, commands parse, links lead somewhere, generated pages are fresh."""

import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import typer

from temperance.cli.application import build

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
GUIDE = sorted((DOCS / "guide").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md", *sorted(DOCS.rglob("*.md"))]
NEEDS = {"lightning": ["lightning"], "skorch": ["skorch"]}  # packages that a page is about
GENERATED = ("techniques", "commands")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.M | re.S)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # dynamo's, which hides it from users
@pytest.mark.filterwarnings("ignore:WeightDecay took over")  # the line that the page speaks of
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # PEFT's, which calls an older name
@pytest.mark.parametrize("path", [p for p in GUIDE if blocks(p, "python")], ids=named)
def test_the_snippets_of_a_page_run_in_order(path: Path, tmp_path, monkeypatch, capsys) -> None:
    import torch

    for package in NEEDS.get(path.stem, ()):
        pytest.importorskip(package)
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"__name__": "snippets"}
    with warnings.catch_warnings():
        if path.stem in NEEDS:  # other packages warn of their own doings
            warnings.simplefilter("ignore")
        for number, text in enumerate(blocks(path, "python")):
            exec(compile(text, f"{path.name}, block {number}", "exec"), space)
    assert space


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_the_commands_of_a_page_parse(path: Path) -> None:
    group: Any = typer.main.get_command(build())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    text = path.read_text(encoding="utf-8")
    lines = [line for block in blocks(path, "sh") for line in block.splitlines()]
    lines += re.findall(r"`((?:temperance|make) [^`]+)`", text)
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert {word for word in words[1:] if "=" not in word} <= targets, line
        elif words[:1] == ["temperance"] and words[1] not in ("--help", "--version") and words[1][0].islower():
            assert words[1] in group.commands, line
            known = {name for p in group.commands[words[1]].params for name in p.opts} | {"--help"}
            assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    found = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    for link in found:
        if not link.startswith(("http://", "https://", "mailto:")):
            assert (path.parent / link).exists(), f"{link} is not there"
    assert isinstance(found, list)


def test_each_page_can_be_reached_from_the_first() -> None:
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        found = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        waiting += [page.parent / link for link in found if not link.startswith("http")]
    assert {p.resolve() for p in DOCS.rglob("*.md")} <= reached


def test_generated_pages_are_fresh() -> None:
    words = [sys.executable, str(ROOT / "scripts" / "make_docs.py"), "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", GUIDE, ids=named)
def test_the_guide_is_in_plain_words(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    lines = [line for line in text.splitlines() if not line.startswith(("#", "|"))]
    sentences = [s for s in re.split(r"(?<=[.!?:])\s+", " ".join(lines)) if len(s.split()) > 2]
    mean = sum(len(s.split()) for s in sentences) / len(sentences)
    assert mean <= 18, f"sentences of {mean:.1f} words on average are too long"
