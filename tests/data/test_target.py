from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from temperance.data.target import known_target, read_target
from temperance.records.errors import DataError, SettingError
from temperance.records.schema import Target


def task(values: Any, **options: Any) -> str:
    return read_target(pl.Series("y", values), **options).target.task


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "b"] * 20, "binary"),
        ([True, False] * 20, "binary"),
        ([0, 1] * 20, "binary"),
        ([0.5, 1.5] * 20, "binary"),
        (["+", "-"] * 20, "binary"),
        ([3, 4, 5, 6] * 20, "multiclass"),
        (RNG.normal(size=100), "regression"),
        (RNG.integers(0, 500, 300), "regression"),
        (RNG.poisson(20, 3000), "regression"),
        (np.arange(26).repeat(50), "multiclass"),
        ([str(v) for v in RNG.normal(size=99)] + ["?"], "regression"),
    ],
)
def test_the_task_is_inferred(values: Any, expected: str) -> None:
    assert task(values) == expected


def test_the_task_can_be_forced() -> None:
    assert task([3, 4, 5] * 20, task="regression") == "regression"
    assert task(RNG.integers(0, 30, 500), task="classification") == "multiclass"
    assert task([0, 1] * 5, task="module:function") == "binary"
    with pytest.raises(SettingError):
        task([0, 1], task="clustering")


def test_classes_are_ordered_by_number_and_missing_is_minus_one() -> None:
    aim = read_target(pl.Series("y", ["10", "9", None, "9.0"]), task="classification")
    assert aim.target.classes == ("9", "10")
    assert aim.values.tolist() == [1, 0, -1, 0]


def test_signs_are_classes_not_missing() -> None:
    assert read_target(pl.Series("y", ["+", "-"] * 5)).target.classes == ("+", "-")


@pytest.mark.parametrize(
    ("values", "options", "why"),
    [
        (["a"] * 20, {}, "one class only"),
        ([1.5] * 20, {"task": "regression"}, "always"),
        ([None] * 20, {}, "no values"),
        ([f"name {i}" for i in range(20)], {}, "20 classes in 20 rows"),
        (list(RNG.normal(size=50)), {"task": "classification"}, "50 classes"),
        (["a", "b"] * 10, {"task": "regression"}, "words"),
        ([[1], [2]], {}, "holds"),
    ],
)
def test_what_cannot_be_learned_is_refused(values: Any, options: Any, why: str) -> None:
    with pytest.raises(DataError, match=why) as caught:
        task(values, **options)
    assert caught.value.remedy


def test_rare_classes_words_and_infinite_values_are_said() -> None:
    assert any("Fewer than 5" in n for n in read_target(pl.Series("y", ["a"] * 20 + ["b"] * 2)).notes)
    aim = read_target(pl.Series("y", [*map(str, RNG.normal(size=98)), "bad", "inf"]))
    assert any("1 words" in n for n in aim.notes)
    assert any("1 infinite" in n for n in aim.notes)
    assert np.isnan(aim.values[-2:]).all()


def test_a_known_target_reads_codes() -> None:
    target = Target("y", "multiclass", ("0", "1", "2"))
    assert known_target(pl.Series("y", [2.0, 0.0, None]), target).values.tolist() == [2, 0, -1]
    with pytest.raises(DataError, match="'7'"):
        known_target(pl.Series("y", [7]), target)
    values = known_target(pl.Series("y", ["1.5", "x"]), Target("y", "regression")).values
    np.testing.assert_array_equal(values, [1.5, np.nan])
