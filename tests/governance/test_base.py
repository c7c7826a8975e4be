from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest

from temperance.governance.base import Card, blank, block, code, escape, front_matter, interval, number, table


def test_escape_leaves_no_markup():
    assert escape("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert escape("a|b\n# c *d* [e](f) `g`") == "a\\|b \\# c \\*d\\* \\[e\\](f) \\`g\\`"


def test_code_and_block_cannot_be_left():
    assert code("a`b") == "``a`b``"
    assert code("") == "` `"
    assert "|" not in code("a|b").replace("\\|", "")
    assert block("x\n```\ny").startswith("````\n")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.9123, "0.912"),
        (4200, "4,200"),
        (None, "–"),
        (float("nan"), "–"),
        (0.00012345, "0.000123"),
        (0, "0"),
        (True, "–"),
    ],
)
def test_number(value, said):
    assert number(value) == said


def test_interval():
    assert interval({"value": 0.912, "low": 0.89, "high": 0.93, "n": 400}) == "0.912 (0.890 to 0.930, n = 400)"
    assert interval(None) == "–"


def test_front_matter_is_yaml():
    fields = {
        "license": "mit",
        "tags": ["a", "b: c"],
        "index": [{"name": 'x"y', "results": [{"value": 0.5}]}],
        "none": [],
    }
    text = front_matter(fields)
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(text.strip("-\n")) == fields


def test_front_matter_by_hand():
    text = front_matter({"a": "x: y", "b": ["c"], "d": {"e": 1}, "f": float("nan")})
    assert text == '---\na: "x: y"\nb: \n  - "c"\nd: \n  e: 1\nf: null\n---'


def test_table_and_blank():
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n|---|---|\n| 1 | 2 |"
    assert "Owner, please answer" in blank("Why?")


@dataclass(frozen=True)
class Broken(Card):
    name: ClassVar[str] = "broken"
    filename: ClassVar[str] = "broken.md"

    def render(self, study):
        return json.dumps(study["missing"])


def test_writing_is_whole_or_not_at_all(tmp_path):
    with pytest.raises(KeyError):
        Broken().write({}, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert Broken().write({"missing": 1}, tmp_path / "new").read_text() == "1"
