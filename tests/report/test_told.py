"""What a study writes in English is told in German: sentences of real studies, and all that the code can write."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from temperance.report.page import html
from temperance.report.told import told
from temperance.testing.study_example import study_example

SENTENCES = (Path(__file__).parent / "told.txt").read_text(encoding="utf-8").splitlines()  # of 20 real studies
ENGLISH = re.compile(r"\b(the|of|rows|were|that|with|does|you|has|are|this|its)\b")
SOURCE = Path(__file__).resolve().parents[2] / "src" / "temperance"
ROOMS = ("audit", "data", "study")
SILENT = ("study/desk.py", "study/finale.py", "study/jobs.py", "study/reserves.py")  # progress: not in study.json
SENTENCE = re.compile(r"^[A-Z7'].* .*\.$")
PLACE = "7"  # stands for what varies
MIXED = re.compile(  # one thing with the verb of many, or the other way: branches that never meet
    r"7 (?:\w+ )*?\w+(?<!s) of 7 (?:looked at )?(?:are|repeat|seem)\b"
    r"|7 (?:\w+ )*?\w+s of 7 (?:looked at )?(?:is|repeats|seems)\b"
)
MOST = 32


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_sentence_of_a_real_study_stays_english(sentence: str) -> None:
    german = told(sentence, "de")
    assert german != sentence
    assert not ENGLISH.search(re.sub(r"'[^']*'|\([^)]*\)", "", german)), german
    assert set(re.findall(r"\d+", german)) == set(re.findall(r"\d+", sentence))


def test_english_and_unknown_sentences_stay_as_they_were_written() -> None:
    assert all(told(sentence, "en") == sentence for sentence in SENTENCES)
    assert told("A sentence of the owner's.", "de") == "A sentence of the owner's."


def test_half_known_texts_are_not_mixed() -> None:
    text = "No row repeats an earlier row. Something new."
    assert told(text, "de") == text


def test_a_german_report_holds_no_english_finding() -> None:
    document = study_example()
    document["limits"] = SENTENCES[:20]
    page = html(document, language="de")
    assert not [sentence for sentence in SENTENCES[:20] if f">{sentence}<" in page]


def test_every_sentence_that_the_code_can_write_has_its_german() -> None:
    """A sentence that is changed in the code and not in told.de.toml would stay English without a word."""
    found = list(sentences())
    assert len(found) > 250
    known = [(place, text) for place, text in found if _is_told(text)]
    assert [one for one in found if one not in known] == []


def _is_told(text: str) -> bool:
    return any(told(part, "de") != part for part in (text, re.sub("^7 (?=[A-Z])", "", text)))


def test_a_changed_sentence_is_noticed() -> None:
    """The test above sees each branch of a sentence: one that differs in a word is not told."""
    assert _is_told("We hid 7 wrong answers in a copy of your data; this check found 7.")
    assert not _is_told("We hid 7 bad answers in a copy of your data; this check found 7.")


# ---- all that the code can write


def sentences() -> Iterator[tuple[str, str]]:
    """Give (place, sentence); what varies in a sentence is 7, and each branch in it gives a sentence of its own."""
    for room in ROOMS:
        for path in sorted((SOURCE / room).rglob("*.py")):
            name = path.relative_to(SOURCE).as_posix()
            if name not in SILENT:
                yield from _of(ast.parse(path.read_text(encoding="utf-8")), name)


def _of(tree: ast.Module, name: str) -> Iterator[tuple[str, str]]:
    silent = set(_silent(tree))
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    constants = _words(ast.Module([node for node in tree.body if isinstance(node, ast.Assign)], []))
    inside = {id(part) for scope in scopes for part in ast.walk(scope)}
    for scope in (tree, *scopes):
        words = {**constants, **_words(scope)}
        for node in ast.walk(scope):
            if id(node) in silent or (scope is tree and id(node) in inside):
                continue
            if isinstance(node, ast.Constant | ast.JoinedStr):
                for text in _texts(node, words):
                    said = text.strip()
                    if len(said) > 15 and SENTENCE.match(said) and not MIXED.match(said):
                        yield f"{name}:{node.lineno}", said


def _silent(tree: ast.Module) -> Iterator[int]:
    """Give the ids of nodes that no study writes down: docstrings, errors, and the parts of a text of several parts."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts = [node.value]
        elif isinstance(node, ast.Raise) or (
            isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error")
        ):
            parts = [node]
        elif isinstance(node, ast.JoinedStr):
            parts = list(node.values)
        for part in parts:
            yield from (id(one) for one in ast.walk(part))


def _words(tree: ast.AST) -> dict[str, list[str]]:
    """Return what stands in names that are set to words, such as ``verb = "is" if k == 1 else "are"``."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp | ast.Constant | ast.JoinedStr):
            texts = _texts(node.value, {})
            for name in node.targets:
                if isinstance(name, ast.Name) and texts != [PLACE]:
                    found.setdefault(name.id, []).extend(texts)
    return found


def _texts(node: ast.AST, words: dict[str, list[str]]) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else [PLACE]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body, words), *_texts(node.orelse, words)]
    if isinstance(node, ast.FormattedValue):
        return _texts(node.value, words)
    if isinstance(node, ast.JoinedStr):
        ways = [_texts(part, words) for part in node.values]
        return ["".join(way) for _, way in zip(range(MOST), product(*ways), strict=False)]
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "count_of":
        return [f"{PLACE} {what}{end}" for what in _texts(node.args[1], words) for end in ("", "s")]
    return words.get(node.id, [PLACE]) if isinstance(node, ast.Name) else [PLACE]
