from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from temperance.records.cells import NumberStyle
from temperance.records.errors import RequestError
from temperance.records.moments import date_part, parse_days
from temperance.records.rows import rows_from_records
from temperance.records.schema import MISSING, UNSEEN, Column, Schema, Target

TARGET = Target("y", "binary", ("no", "yes"))
SCHEMA = Schema(
    (
        Column("age", "numeric", "age", format=".,"),
        Column("price", "numeric", "price", format=","),
        Column("day", "numeric", "day", "days", format="%d.%m.%Y"),
        Column("day.weekday", "numeric", "day", "weekday", format="%d.%m.%Y"),
        Column("city", "categorical", "city", vocabulary=("1", "Oslo", "Rome")),
        Column("member", "categorical", "member", vocabulary=("false", "true")),
    ),
    TARGET,
)
ROW = {"age": 41, "price": "1.234,5", "day": "02.01.1970", "city": "Rome", "member": True, "more": "ignored"}


def test_a_row_by_hand() -> None:
    rows = rows_from_records(SCHEMA, [ROW])
    np.testing.assert_array_equal(rows.numeric, [[41.0, 1234.5, 1.0, 4.0]])  # 1970-01-02 was a Friday
    assert rows.categorical.tolist() == [[2, 1]]
    assert rows.categorical.dtype == np.int32


@pytest.mark.parametrize("name", ["age", "price", "day"])
@pytest.mark.parametrize("value", [None, "", "NA", " ? ", "-"])
def test_missing_numbers_are_nan(name: str, value: object) -> None:
    rows = rows_from_records(SCHEMA, [ROW | {name: value}])
    assert np.isnan(rows.numeric).sum() == (2 if name == "day" else 1)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, MISSING),
        ("", MISSING),
        ("n/a", MISSING),
        ("Lima", UNSEEN),
        (" Oslo ", 1),
        (1, 0),
        (1.0, 0),
        (math.nan, MISSING),
    ],
)
def test_categories(value: object, code: int) -> None:
    assert rows_from_records(SCHEMA, [ROW | {"city": value}]).categorical[0, 0] == code


def test_truth_values_in_any_case() -> None:
    codes = [rows_from_records(SCHEMA, [ROW | {"member": v}]).categorical[0, 1] for v in (False, "True", "FALSE")]
    assert codes == [0, 1, 0]


def test_numbers_as_text_true_and_infinite() -> None:
    values = [rows_from_records(SCHEMA, [ROW | {"age": v}]).numeric[0, 0] for v in ("41", "1,000", True, 1e400)]
    np.testing.assert_array_equal(values, [41, 1000, 1, np.nan])


def test_a_missing_feature_is_named_with_the_nearest() -> None:
    row = {key: value for key, value in ROW.items() if key != "city"} | {"citi": "Rome"}
    with pytest.raises(RequestError) as caught:
        rows_from_records(SCHEMA, [ROW, row])
    assert caught.value.status == 422
    assert "Row 1 lacks the feature 'city'" in str(caught.value)
    assert "'citi'" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("age", "old", "the text 'old'"),
        ("age", [1], "a list"),
        ("age", {"a": 1}, "an object"),
        ("age", 10**400, "a number"),
        ("day", "someday", "a date"),
        ("city", ["Rome"], "a list"),
    ],
)
def test_wrong_types_are_named(name: str, value: object, why: str) -> None:
    with pytest.raises(RequestError) as caught:
        rows_from_records(SCHEMA, [ROW | {name: value}])
    assert caught.value.status == 422
    assert repr(name) in str(caught.value)
    assert why in str(caught.value)


def test_a_row_that_is_no_object_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        rows_from_records(SCHEMA, [[1, 2]])  # type: ignore[list-item]
    assert caught.value.status == 422


def test_no_rows_give_empty_arrays() -> None:
    assert rows_from_records(SCHEMA, []).numeric.shape == (0, 4)


def test_images() -> None:
    schema = Schema((), TARGET, kind="images", image_shape=(2, 2, 1))
    rows = rows_from_records(schema, [{"image": [[0, 255], [1, 2]]}])
    assert rows.images is not None
    assert rows.images[0, :, :, 0].tolist() == [[0, 255], [1, 2]]
    for bad in ({}, {"image": [[1]]}, {"image": [[0, 256], [0, 0]]}, {"image": "x"}, {"image": [[1], [1, 2]]}):
        with pytest.raises(RequestError) as caught:
            rows_from_records(schema, [bad])
        assert caught.value.status == 422


def test_numbers_and_dates_as_text() -> None:
    assert NumberStyle().read("1,234.5") == 1234.5
    assert NumberStyle(",").read("1.234,5") == 1234.5
    for bad in ("1_00", "1__000", "0x10", "x", "1,234"):
        with pytest.raises(ValueError):
            NumberStyle().read(bad)
    assert parse_days("1970-01-02T12:00:00Z") == 1.5
    assert parse_days("2/1/1970 6:00 AM", pattern="%d/%m/%Y") == 1.25
    with pytest.raises(ValueError):
        parse_days("tomorrow")


def test_parts_of_dates_agree_with_the_calendar() -> None:
    moments = np.array(["1969-12-31T23:30", "2024-02-29T00:00", "2026-11-23T17:05"], dtype="datetime64[s]")
    days = moments.astype(np.int64) / 86400.0
    assert date_part(days, "month").tolist() == [12, 2, 11]
    assert date_part(days, "weekday").tolist() == [2, 3, 0]
    assert date_part(days, "hour").tolist() == [23, 0, 17]
    assert np.isnan(date_part(np.array([np.nan]), "month")).all()


def test_every_hour_and_minute_is_exact() -> None:
    stamps = np.datetime64("2024-05-01") + np.arange(0, 24 * 60, 5).astype("timedelta64[m]")
    days = stamps.astype("datetime64[us]").astype(np.int64) / 86_400_000_000.0
    assert date_part(days, "hour").tolist() == [(5 * i) // 60 for i in range(24 * 12)]


def test_neither_torch_nor_polars_is_loaded() -> None:
    code = "import sys, temperance.records.rows; print({'torch', 'polars', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_cell_of_several_values_that_is_an_object_is_asked_for_as_texts():
    schema = Schema((Column("tags has red", "numeric", "tags", "has red", format=";"),), Target("y", "regression"))
    with pytest.raises(RequestError, match=r"'tags' is an object\. It must be a text or a list of texts"):
        rows_from_records(schema, [{"tags": {"red": 1}}])
