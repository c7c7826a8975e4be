import polars as pl
import pytest

from temperance.data.choices import parse_option
from temperance.data.target import read_target
from temperance.records.errors import DataError

GRADES = pl.Series("grade", ["10", "9", "2", "9", "10", "2"] * 3)
WORDS = pl.Series("grade", ["good", "poor", "fair", "good", "poor", "fair"] * 3)


def test_numbers_stand_in_their_order_and_are_marked():
    aim = read_target(GRADES, task="ordinal")
    assert aim.target.ordered
    assert aim.target.classes == ("2", "9", "10")
    assert aim.values[:3].tolist() == [2, 1, 0]
    assert "levels, the lowest first: '2', '9', '10'" in aim.notes[-1]
    assert not read_target(GRADES, task="classification").target.ordered


def test_words_need_their_order_from_the_user():
    with pytest.raises(DataError, match=r"levels=low\|middle\|high"):
        read_target(WORDS, task="ordinal")
    choice = parse_option("grade=category,levels=poor|fair|good")[1]
    aim = read_target(WORDS.append(pl.Series("grade", [None], dtype=pl.String)), choice=choice)
    assert aim.target.ordered
    assert aim.target.classes == ("poor", "fair", "good")
    assert aim.values[:3].tolist() == [2, 0, 1]
    assert aim.values[-1] == -1


def test_a_level_that_was_not_named_is_refused_and_one_without_rows_is_left_out():
    with pytest.raises(DataError, match=r"none of the levels.*Did you mean 'god'"):
        read_target(WORDS, choice=parse_option("grade=category,levels=poor|fair|god")[1])
    aim = read_target(WORDS, choice=parse_option("grade=category,levels=poor|fair|good|best")[1])
    assert aim.target.classes == ("poor", "fair", "good")


def test_two_classes_have_no_levels():
    with pytest.raises(DataError, match="At least three levels"):
        read_target(pl.Series("y", ["1", "2"] * 5), task="ordinal")


def test_the_offer_stands_in_the_notes():
    assert "--task ordinal" in read_target(pl.Series("q", [3, 4, 5, 6, 7] * 20)).notes[-1]


def test_counts_are_numbers_of_0_or_more_and_the_offer_says_so():
    series = pl.Series("hires", [0, 3, 8, 40, 7, 21] * 30 + list(range(60)))
    plain = read_target(series)
    assert any("pass --task counts" in note for note in plain.notes)
    aim = read_target(series, task="counts")
    assert aim.target.counts
    assert aim.target.task == "regression"
    assert aim.values.tolist() == plain.values.tolist()
    assert not any("--task counts" in note for note in aim.notes)
    assert "read as counts" in aim.notes[-1]


def test_values_below_0_are_no_counts_and_fractions_are_told():
    with pytest.raises(DataError, match="holds -1"):
        read_target(pl.Series("y", [-1.0, 2, 3] * 30), task="counts")
    assert "no whole numbers" in read_target(pl.Series("y", [0.5, 2, 3] * 30), task="counts").notes[-1]
    offered = read_target(pl.Series("y", [0.5 + k for k in range(60)])).notes
    assert not any("counts" in note for note in offered)


def test_few_counts_are_offered_beside_classes():
    assert "--task counts" in read_target(pl.Series("q", [3, 4, 5, 6, 7] * 20)).notes[-1]
