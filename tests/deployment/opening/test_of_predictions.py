import numpy as np
import polars as pl
import pytest

from temperance.deployment.opening.of_predictions import NoModel, open_predictions
from temperance.records.errors import DataError


def write(path, columns):
    pl.DataFrame(columns).write_csv(path) if path.suffix == ".csv" else pl.DataFrame(columns).write_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_chances_in_any_order_of_columns(tables, true_chance, tmp_path, suffix) -> None:
    path = write(tmp_path / f"p{suffix}", {"probability_yes": true_chance[:, 1], "probability_no": true_chance[:, 0]})
    subject = open_predictions(path, tables.numbers)
    assert subject.observed.prediction == pytest.approx(true_chance)
    assert subject.kind == "predictions"
    assert "not possible from predictions" in subject.why_not("rows")
    assert subject.has("probabilities")


def test_answers_alone_and_values_with_ranges(tables, tmp_path) -> None:
    words = np.array(tables.numbers.schema.target.classes)[tables.numbers.target]
    subject = open_predictions(write(tmp_path / "a.csv", {"prediction": words}), tables.numbers)
    assert subject.observed.correct.mean() == 1.0
    assert "without probabilities" in subject.why_not("probabilities")
    y = tables.values.target
    found = open_predictions(write(tmp_path / "v.csv", {"prediction": y, "low": y - 1, "high": y + 1}), tables.values)
    assert found.observed.low == pytest.approx(y - 1)


def test_answers_that_are_not_the_likeliest_class_are_told(tables, true_chance, tmp_path) -> None:
    classes = np.array(tables.numbers.schema.target.classes)
    shares = {f"probability_{name}": true_chance[:, i] for i, name in enumerate(classes)}
    likely = true_chance.argmax(axis=1)
    same = write(tmp_path / "same.csv", {"prediction": [f"'{name}" for name in classes[likely]], **shares})
    assert open_predictions(same, tables.numbers).notes == ()
    likely[:7] = 1 - likely[:7]
    other = write(tmp_path / "other.csv", {"prediction": classes[likely], **shares})
    (note,) = open_predictions(other, tables.numbers).notes
    assert note.startswith("In 7 of 200 rows 'prediction' is not the likeliest class")


def test_rows_without_an_answer_are_left_out_by_their_place(tables, true_chance, tmp_path) -> None:
    present = np.insert(np.ones(200, dtype=bool), 50, False)
    whole = np.insert(true_chance, 50, [0.5, 0.5], axis=0)
    path = write(tmp_path / "p.csv", {"probability_no": whole[:, 0], "probability_yes": whole[:, 1]})
    assert open_predictions(path, tables.numbers, present).observed.prediction == pytest.approx(true_chance)


@pytest.mark.parametrize(("columns", "said"), [
    ({"prediction": ["yes"] * 3}, "3 predictions"), ({"score": [0.1] * 200}, "no column 'prediction'"),
    ({"prediction": ["maybe"] * 200}, "the class 'maybe'"),
    ({"probability_yes": [0.5] * 200}, "a model with the classes"),
    ({"probability_yes": [0.5] * 200, "probability_no": [0.9] * 200}, "not probabilities"),
    ({"probability_yes": [None] + [0.5] * 199, "probability_no": [0.5] * 200}, "1 cells"),
    ({"probability_yes": ["x"] * 200, "probability_no": [0.5] * 200}, "holds words"),
])  # fmt: skip
def test_what_cannot_be_used_is_named(tables, tmp_path, columns, said) -> None:
    with pytest.raises(DataError, match=said):
        open_predictions(write(tmp_path / "p.csv", columns), tables.numbers)


def test_nothing_else_can_be_asked(tables, tmp_path) -> None:
    with pytest.raises(DataError, match="the model itself"):
        NoModel(tables.numbers.schema).predict(tables.numbers.rows)
    (tmp_path / "p.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match="cannot be read"):
        open_predictions(tmp_path / "p.parquet", tables.numbers)
