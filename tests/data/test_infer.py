from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from temperance.data.choices import ColumnChoice
from temperance.data.infer import infer

N = 100


def trait(values: list[Any], name: str = "x", **options: Any) -> Any:
    return infer(pl.Series(name, values), **options)


def test_numbers_as_text_with_missing_words() -> None:
    found = trait(["1.5", "2", "?", "NA", "-", ""] * 10 + ["3"])
    (column,) = found.columns
    assert found.notes == ("Column 'x' is numeric; ('-') is read as missing.",)
    assert (column.kind, column.low, column.high, column.integer) == ("numeric", 1.5, 3.0, False)


def test_a_few_words_among_numbers_are_missing_and_said() -> None:
    found = trait([str(i) for i in range(99)] + ["broken"])
    assert found.columns[0].kind == "numeric"
    assert "'broken'" in found.notes[0]


def test_many_words_among_numbers_make_categories_and_are_said() -> None:
    found = trait(["1", "2", "low", "high"] * 25)
    assert found.columns[0].kind == "categorical"
    assert "mixes" in found.notes[0]


def test_infinite_values_are_said() -> None:
    found = trait([1.0, 2.0, float("inf")])
    assert found.columns[0].high == 2.0
    assert "1 infinite" in found.notes[0]


@pytest.mark.parametrize(
    ("values", "form"),
    [(["1,5", "2,25"], ","), (["1,234", "5,678"], ".,"), (["0,500", "1,234"], ","), (["$1,200", "$3"], ".,")],
)
def test_commas_in_numbers(values: list[str], form: str) -> None:
    assert trait(values).columns[0].format == form


def test_leading_zeros_make_a_code_a_category() -> None:
    assert trait(["01234", "10115", "80331"] * 30).columns[0].kind == "categorical"


@pytest.mark.parametrize(
    ("name", "values", "key"),
    [
        ("x", list(range(N)), True),
        ("x", list(np.random.default_rng(0).permutation(N) + 7), False),
        ("row", list(np.random.default_rng(0).permutation(N) + 7), True),
        ("customer_id", list(np.random.default_rng(0).choice(10_000, N, replace=False)), True),
        ("customerId", [f"k{i}" for i in range(N)], True),
        ("income", list(np.random.default_rng(0).choice(10_000, N, replace=False)), False),
        ("paid", list(range(0, 2 * N, 2)), False),
        ("age", [20 + i % 50 for i in range(N)], False),
        ("x", list(np.random.default_rng(0).normal(size=N)), False),
        ("id", list(range(10)), False),
    ],
)
def test_keys_are_left_out_and_real_features_stay(name: str, values: list[Any], key: bool) -> None:
    found = trait([v.item() if hasattr(v, "item") else v for v in values], name)
    assert ("identifier" in found.why) is key
    assert bool(found.columns) is not key


def test_columns_of_arrays_are_never_left_out() -> None:
    assert trait(list(range(N)), plain=True).columns
    assert trait([1.0] * N, plain=True).columns


def test_constants() -> None:
    assert "constant" in trait([3] * N).why
    assert "constant" in trait(["a"] * N).why
    assert trait(["a"] * 50 + [None] * 50).columns
    assert trait([1] * 50 + [None] * 50).columns


def test_dates_give_the_parts_that_vary() -> None:
    found = trait([f"2024-{1 + i % 12:02d}-01 {i % 24:02d}:00" for i in range(N)], "when")
    assert [c.part for c in found.columns] == ["days", "month", "weekday", "hour"]
    assert [c.name for c in found.columns] == ["when", "when.month", "when.weekday", "when.hour"]
    assert {c.source for c in found.columns} == {"when"}
    months = trait([f"{i % 28 + 1:02d}.03.2024" for i in range(N)])
    assert [c.part for c in months.columns] == ["days", "weekday"]
    assert months.columns[0].format == "%d.%m.%Y"


def test_high_cardinality_keeps_what_repeats() -> None:
    words = [f"city {i % 1500}" for i in range(2700)]
    found = trait(words)
    assert len(found.columns[0].vocabulary) == 1200
    assert "1,500" in found.notes[0]


def test_texts_are_read_and_the_note_says_how_to_read_them_otherwise() -> None:
    found = trait([f"this is a long text number {i % 70} here" for i in range(N)])
    assert found.columns[0].kind == "text"
    assert found.reader is not None
    assert found.reader.kind == found.reader.choice().read == "text"
    assert "was read as text: 70 different values of 8 words" in found.notes[0]
    assert "--column 'x=category'" in found.notes[0]
    assert "--drop 'x'" in found.notes[0]


def test_the_user_decides_what_is_text() -> None:
    sentences = [f"this is a long text number {i % 70} here" for i in range(N)]
    assert trait(sentences, choice=ColumnChoice("category")).columns[0].kind == "categorical"
    assert trait(["yes", "no"] * 50, choice=ColumnChoice("text")).columns[0].kind == "text"
    assert trait(range(N), choice=ColumnChoice("text")).columns[0].kind == "text"


def test_words_that_repeat_and_codes_are_no_text() -> None:
    repeated = [f"one of {i % 12} common answers here" for i in range(N)]
    assert trait(repeated).columns[0].kind == "categorical"
    assert "identifier" in trait([f"AB-{i:06d}" for i in range(N)]).why
    assert "identifier" in trait([f"First{i} Last" for i in range(N)]).why  # two words: names


def test_scripts_without_blanks_between_words() -> None:
    assert trait([f"今天天气很好我们去公园{i}次" for i in range(N)]).columns[0].kind == "text"


def test_nested_values_are_left_out() -> None:
    assert "nested" in trait([[1.5], [2.5]]).why
    assert "bytes" in trait([b"a", b"b"]).why


def test_truth_values_are_categories_in_lower_case() -> None:
    assert trait(["True", "False"] * 5).columns[0].vocabulary == ("false", "true")
    assert trait([True, False] * 5).columns[0].vocabulary == ("false", "true")


def test_a_column_called_count_is_read() -> None:
    assert trait(["a", "b"] * 30, "count").columns[0].vocabulary == ("a", "b")
