from __future__ import annotations

import polars as pl
import pytest

from temperance.data.texts import cells, looks_like_text, said, word_count
from temperance.records.schema import Column


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([f"message number {i} says this" for i in range(50)], True),
        ([f"message number {i % 5} says this" for i in range(50)], False),
        ([f"message number {i % 1200} says this" for i in range(9000)], True),
        ([f"name{i} surname" for i in range(50)], False),
        ([f"b{i:05d}-17aa" for i in range(50)], False),
        ([f"http://example.org/{i}" for i in range(50)], False),
        ([f"这个产品很好用我买了{i}个" for i in range(50)], True),
    ],
)
def test_sentences_are_text_and_codes_are_not(values: list[str], text: bool) -> None:
    assert looks_like_text(pl.Series("x", values)) is text


def test_words_are_counted() -> None:
    assert word_count(pl.Series(["one two  three", "four"])) == 2.0


def test_the_sentence_tells_what_was_read_and_how_to_change_it() -> None:
    series = pl.Series("msg", ["one two three four", "five six seven eight"])
    told = said("msg", series, 2, chosen=False)
    assert "2 different values of 4 words" in told
    assert "--column 'msg=category'" in told
    assert "as you asked" in said("msg", series, 2, chosen=True)


def test_cells_are_read_as_in_a_request() -> None:
    found = cells(pl.Series("x", ["  a b ", "", None, "NA", "“quoted”"]), Column("x", "text"))
    assert found.tolist() == ["a b", None, None, None, "“quoted”"]
    assert cells(pl.Series("x", ["NA"]), Column("x", "text", missing=("?",))).tolist() == ["NA"]
    assert cells(pl.Series("x", [12, None]), Column("x", "text")).tolist() == ["12", None]
