"""A page, read back the way a browser reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

from temperance.report.base import Study
from temperance.report.figures import Figures
from temperance.report.node import Node
from temperance.report.page import html
from temperance.report.words import Words
from temperance.testing.study_example import study_example

VOID = frozenset(["meta", "br", "hr", "img", "input", "link"])


@dataclass
class Element:
    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, name: str) -> list[Element]:
        return [element for element in self.walk() if element.name == name]

    def text(self, skip: Callable[[Element], bool] = lambda element: False) -> str:
        parts = (
            child if isinstance(child, str) else "" if skip(child) else child.text(skip) for child in self.children
        )
        return "".join(parts)

    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [Element("root", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        self.stack[-1].children.append(element)
        if tag not in VOID:
            self.stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack[-1].name == tag, f"</{tag}> closes <{self.stack[-1].name}>"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        self.stack[-1].children.append(data)


def read_page(text: str) -> Element:
    reader = _Reader()
    reader.feed(text)
    assert len(reader.stack) == 1
    return reader.stack[0]


@pytest.fixture(scope="session")
def parse() -> Callable[[str], Element]:
    return read_page


@pytest.fixture(scope="session", params=["binary", "multiclass", "regression"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return study_example(request.param)


@pytest.fixture(scope="session")
def page(document: dict[str, Any]) -> Element:
    return read_page(html(document, names=frozenset({"study.json", "bundle", "model_card.md", "leaderboard.csv"})))


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Build what sections and charts take, from a document."""

    def make(document: Any = None, **files: Any) -> Study:
        words = Words()
        given = study_example() if document is None else document
        return Study(Node(given), words, Figures(words), frozenset(files.get("files", ())))

    return make
