from __future__ import annotations

import math

import pytest

from temperance.report.node import Node, escaped, resolve, unescaped

DOCUMENT = {"a": [{"b/c": 1.5}, None], "empty": [], "flag": True, "bad": math.nan, "word": "x"}


def test_a_node_knows_its_place() -> None:
    node = Node(DOCUMENT)["a"][0]["b/c"]
    assert node.pointer == "/a/0/b~1c"
    assert node.number == 1.5
    assert node.key == "b/c"


def test_a_missing_part_is_empty_and_not_an_error() -> None:
    for node in (
        Node(DOCUMENT)["no"]["such"][3],
        Node(DOCUMENT)["a"][9],
        Node(DOCUMENT)["word"]["x"],
        Node(DOCUMENT)["empty"],
    ):
        assert not node
        assert list(node) == []
        assert node.number is None


def test_walks_lists_and_mappings() -> None:
    assert [n.pointer for n in Node(DOCUMENT)["a"]] == ["/a/0", "/a/1"]
    assert [n.key for n in Node(DOCUMENT)] == list(DOCUMENT)
    assert len(Node(DOCUMENT)["a"]) == 2
    assert len(Node(DOCUMENT)["word"]) == 0


def test_a_number_is_finite_and_no_flag() -> None:
    assert Node(DOCUMENT)["flag"].number is None
    assert Node(DOCUMENT)["bad"].number is None
    assert Node(DOCUMENT)["word"].number is None


def test_zero_is_a_value() -> None:
    assert Node({"n": 0})["n"]
    assert Node({"n": 0})["n"].text == "0"


@pytest.mark.parametrize("key", ["plain", "a/b", "a~b", "~1", "/~/"])
def test_pointers_survive_odd_names(key: str) -> None:
    assert unescaped(escaped(key)) == key
    assert resolve({key: [7]}, Node({key: [7]})[key][0].pointer) == 7


def test_a_pointer_to_nothing_is_an_error() -> None:
    for pointer in ("/a/7", "/nothing", "/word/0"):
        with pytest.raises(KeyError):
            resolve(DOCUMENT, pointer)
