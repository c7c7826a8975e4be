from __future__ import annotations

import math

import numpy as np
import pytest

from temperance.data.blocks import BLOCKS, Blocks, fit_blocks, pack, unpack
from temperance.data.blocks.text import STYLE, TextBlock, style
from temperance.data.preprocess import Preprocess
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table

WORDS = (
    *("sun", "rain", "wind", "snow", "bank", "loan", "rate", "fund", "cat", "dog", "bird", "fish"),
    *("red", "blue", "green", "grey"),
)
SCHEMA = Schema((Column("msg", "text"), Column("note", "text")), Target("y", "binary", ("no", "yes")))


def rows_of(texts: list[list[str | None]]) -> Rows:
    found = np.empty((len(texts), len(texts[0])), dtype=object)
    found[:] = texts
    return Rows(np.empty((len(texts), 0)), np.empty((len(texts), 0), dtype=np.int32), text=found)


def messages(count: int = 120) -> Rows:
    rng = np.random.default_rng(0)
    drawn = [[" ".join(rng.choice(WORDS, rng.integers(2, 9))), rng.choice(WORDS)] for _ in range(count)]
    drawn[3] = [None, ""]
    return rows_of(drawn)


def test_style_by_hand() -> None:
    found = dict(zip(STYLE, style(["Call 12!"])[0], strict=True))
    assert found["is missing"] == 0
    assert found["words"] == pytest.approx(math.log(3))
    assert found["letters per word"] == pytest.approx(math.log(5))
    assert found["share of capitals"] == found["share of other signs"] == pytest.approx(1 / 8)
    assert found["share of digits"] == pytest.approx(2 / 8)
    assert style([None, ""])[:, 0].tolist() == [1.0, 1.0]


def test_one_block_for_each_column_and_numbers_near_one() -> None:
    rows = messages()
    first, second = fit_blocks(rows, SCHEMA)
    assert (first.sources, second.sources) == (("msg",), ("note",))
    assert first.names[0] == "msg: is missing"
    assert first.names[-1].startswith("msg: direction")
    numbers = first.transform(rows)
    assert numbers.shape == (120, first.width)
    assert np.isfinite(numbers).all()
    assert numbers[:, len(STYLE) :].std(axis=0) == pytest.approx(1.0, abs=0.01)
    assert numbers[:, len(STYLE) :].mean(axis=0) == pytest.approx(0.0, abs=0.01)


def test_a_row_does_not_depend_on_those_beside_it() -> None:
    rows = messages()
    block = fit_blocks(rows, SCHEMA)[0]
    np.testing.assert_array_equal(block.transform(rows.take(slice(7, 8))), block.transform(rows)[7:8])


def test_it_learns_from_the_rows_of_the_fold_alone() -> None:
    rows = messages()
    table = Table(SCHEMA, rows._replace(text=rows.text), np.arange(120) % 2)
    changed = rows.take(slice(None))
    changed.text[60:] = "nothing of this was there before"  # type: ignore[index]
    other = Table(SCHEMA, changed, np.arange(120) % 2)
    fold = np.arange(60)
    assert Preprocess.fit(table, fold).blocks == Preprocess.fit(other, fold).blocks
    assert Preprocess.fit(table, fold).blocks != Preprocess.fit(table).blocks


def test_it_comes_back_and_answers_alike_without_scikit_learn() -> None:
    rows = messages()
    blocks = fit_blocks(rows, SCHEMA)
    again = unpack(*pack(blocks))
    assert again == blocks
    np.testing.assert_array_equal(again[0].transform(rows), blocks[0].transform(rows))


def test_wide_numbers_and_their_scores_agree() -> None:
    rows = messages()
    blocks = Blocks(fit_blocks(rows, SCHEMA), SCHEMA)
    wide = blocks.wide(rows)
    assert wide.shape == (120, sum(block.wide_width for block in blocks.blocks))
    first = blocks.blocks[0]
    weights = np.random.default_rng(1).normal(size=(first.wide_width, 3)).astype(np.float32)
    np.testing.assert_allclose(first.scores(rows, weights), first.wide(rows) @ weights, atol=1e-5)


@pytest.mark.parametrize(
    "strange",
    [
        None,
        "",
        "   ",
        "🙂👍🏽",
        "你好，世界。",
        "مرحبا بالعالم",
        "x" * 30_000,
        "lone \ud800 half",
        "\x00",
        "ﬁne ＡＢＣ",
    ],
)
def test_strange_texts_give_finite_numbers(strange: str | None) -> None:
    block = fit_blocks(messages(), SCHEMA)[0]
    numbers = block.transform(rows_of([[strange, strange]]))
    assert np.isfinite(numbers).all()
    assert np.abs(numbers).max() <= 10


@pytest.mark.parametrize("texts", [[None] * 5, [""] * 5, ["same words"] * 5, ["only one"], ["a b", "c d", "e f"]])
def test_columns_with_little_in_them(texts: list[str | None]) -> None:
    rows = rows_of([[one, "note"] for one in texts])
    blocks = fit_blocks(rows, SCHEMA)
    assert np.isfinite(blocks[0].transform(rows)).all()
    assert unpack(*pack(blocks)) == blocks


def test_a_model_of_words_alone_ships_without_directions() -> None:
    rows = messages()
    first, _ = fit_blocks(rows, SCHEMA)
    assert isinstance(first, TextBlock)
    few, weights = first.words_only(), np.ones((first.wide_width, 1), dtype=np.float32)
    assert first._found is None  # nobody asked
    assert few.width == len(STYLE)
    np.testing.assert_array_equal(few.scores(rows, weights), first.scores(rows, weights))
    assert unpack(*pack((few,))) == (few,)


def test_the_block_is_registered() -> None:
    assert BLOCKS["TextBlock"] is TextBlock
