from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from temperance.app.trying import answer, answer_image, boxes, bundle_of, day, short
from temperance.records.errors import BundleError, DataError, RequestError
from temperance.records.schema import Column, Schema, Target


def fake(*columns: Column, classes: tuple[str, ...] = ("a", "b"), shape: tuple[int, int, int] | None = None) -> Any:
    """A model that answers the first column, and keeps what it was asked."""
    task = "binary" if classes else "regression"
    schema = Schema(
        columns=columns, target=Target("y", task, classes), kind="images" if shape else "table", image_shape=shape
    )

    def predict(rows: Any) -> Any:
        made.rows = rows
        return np.array([[0.25, 0.75]]) if classes else rows.numeric[:, 0]

    made = SimpleNamespace(
        schema=schema, classes=classes, predict=predict, has_interval=not classes, rows=None,
        bounds=lambda values: (np.maximum(values - 2.0, 0.0), values + 2.0), answers=lambda found: found.argmax(axis=1),
    )  # fmt: skip
    return made


NUMBER = Column("price", "numeric", format=",", low=0.0, high=10.0)


def test_a_real_model_is_tried_with_its_usual_values(study: Path) -> None:
    bundle = bundle_of(study)
    assert bundle_of(study) is bundle
    found = boxes(bundle, {"columns": [{"name": "size", "quantiles": {"0.5": 0.25}}]})
    assert [(one.name, one.kind) for one in found] == [("size", "number"), ("weight", "number"), ("colour", "choice")]
    assert found[0].value == "0.25"
    assert float(found[0].low) <= (bundle.schema.numeric[0].low or 0)
    assert float(found[0].high) >= (bundle.schema.numeric[0].high or 0)
    assert set(found[2].options) == {"red", "green"}
    sure = answer(bundle, {"size": "2.3", "weight": "0", "colour": "red"})
    assert (sure.said, sure.strange) == ("=yes", ())
    assert sure.chance is not None
    assert sure.chance > 90
    assert answer(bundle, {"size": "300", "colour": "blue"}).strange == ("size", "colour")


def test_without_a_model_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model yet"):
        bundle_of(tmp_path)


def test_a_number_of_the_browser_and_one_of_the_file_are_the_same() -> None:
    model = fake(NUMBER, classes=())
    assert answer(model, {"price": "4.5"}).said == "4.5"
    assert answer(model, {"price": "4,5"}).said == "4.5"
    assert (answer(model, {"price": "4"}).low, answer(model, {"price": "4"}).high) == ("2", "6")
    assert answer(model, {"price": "1"}).low == "0"  # of counts: the bundle's own range, not one around the value
    answer(model, {"price": " "})
    assert np.isnan(model.rows.numeric[0, 0])
    with pytest.raises(RequestError, match="price"):
        answer(model, {"price": "much"})


def test_the_range_is_the_one_of_a_prediction_and_the_class_the_one_that_is_answered() -> None:
    number = answer(fake(NUMBER, classes=()), {"price": "1"})
    assert (number.low, number.high) == ("0", "3")
    dear = fake(NUMBER)
    dear.answers = lambda found: np.zeros(len(found), dtype=np.int64)  # as costs may have it
    said = answer(dear, {"price": "1"})
    assert (said.said, said.chance) == ("a", 25.0)
    assert said.chances == (("b", 75.0), ("a", 25.0))


def test_a_long_text_is_read_to_its_end() -> None:
    model = fake(Column("note", "text"))
    answer(model, {"note": "x" * 5000 + " end"})
    assert model.rows.text[0, 0].endswith(" end")


def test_a_series_is_a_list_of_numbers_in_one_field() -> None:
    model = fake(Column("v", "series"))
    for text in ("[1, 2.5, null]", "1 2.5 null"):
        answer(model, {"v": text})
        np.testing.assert_array_equal(model.rows.series[0, 0], [1.0, 2.5, np.nan])
    answer(model, {})
    assert np.isnan(model.rows.series).all()
    with pytest.raises(RequestError, match="holds what is no number"):
        answer(model, {"v": "up, then down"})


def test_a_date_is_one_field_written_as_in_the_file() -> None:
    parts = [Column(f"when.{part}", "numeric", "when", part, format="%d/%m/%Y") for part in ("days", "month")]
    usual = {"columns": [{"name": "when.days", "quantiles": {"0.5": 19723.0}}]}
    found = boxes(fake(*parts), usual)
    assert [(one.name, one.kind, one.value) for one in found] == [("when", "text", "01/01/2024")]
    assert day(19723.7, "iso") == "2024-01-01"
    assert day(19723.0, "quarter") == ""
    assert day(1e12, "iso") == ""


def test_a_picture_is_brought_to_the_size_of_the_model() -> None:
    model = fake(shape=(8, 6, 3))
    buffer = io.BytesIO()
    Image.new("RGBA", (30, 20), (200, 0, 0, 255)).save(buffer, "PNG")
    assert answer_image(model, buffer.getvalue()).said == "b"
    assert model.rows.images.shape == (1, 8, 6, 3)
    assert model.rows.images[0, 0, 0, 0] == 200
    with pytest.raises(DataError, match="cannot be read"):
        answer_image(model, b"no picture")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.12345, "0.1235"),
        (12.0, "12"),
        (1234567.0, "1,234,567"),
        (1e-7, "1e-07"),
        (float("nan"), "not a number"),
        (150.24, "150.2"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_a_long_text_is_whole_and_a_series_is_numbers_in_order() -> None:
    model = fake(Column("note", "text"), Column("power", "series"))
    assert [one.kind for one in boxes(model, {})] == ["lines", "series"]
    answer(model, {"note": "word " * 100, "power": "1, 2.5; null 4"})
    assert model.rows.text[0, 0].count("word") == 100
    seen = np.asarray(model.rows.series, dtype=float).ravel()
    assert seen[[0, 1, 3]].tolist() == [1.0, 2.5, 4.0]
    assert np.isnan(seen[2])
    answer(model, {"note": "", "power": ""})
    assert np.isnan(np.asarray(model.rows.series, dtype=float)).all()
    with pytest.raises(RequestError, match="'power' holds what is no number"):
        answer(model, {"power": "1, much"})
