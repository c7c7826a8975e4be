import csv
import io

import polars as pl
import pytest

from temperance.cli import answer_file as room
from temperance.cli.answer_file import safe, to_csv
from temperance.cli.answers import answers, led_by, write
from temperance.deployment import load
from temperance.records.errors import DataError


@pytest.fixture
def columns(classes):
    from temperance.data import read

    bundle = load(classes.folder)
    return answers(bundle, read(classes.table, schema=bundle.schema).table.rows)


def test_each_class_has_its_probability(columns) -> None:
    assert list(columns) == ["prediction", "probability_=yes", "probability_no"]
    for label, yes, no in zip(*columns.values(), strict=True):
        assert yes + no == pytest.approx(1.0, abs=1e-6)
        assert label == ("=yes" if yes > no else "no")


def test_numbers_have_an_interval(values) -> None:
    from temperance.data import read

    bundle = load(values.folder)
    found = answers(bundle, read(values.table, schema=bundle.schema).table.rows)
    assert list(found) == ["prediction", "low", "high"]
    assert all(a < p < b for p, a, b in zip(*found.values(), strict=True))


@pytest.mark.parametrize(
    ("value", "written"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"), ("+x", "'+x"),
     ("\tx", "'\tx"), ("-1", "-1"), ("+2.5e3", "+2.5e3"), ("no", "no"), (-3.5, -3.5)],
)  # fmt: skip
def test_no_text_is_run_as_a_formula_and_numbers_stay(value, written) -> None:
    assert safe(value) == written


def test_csv_is_safe(columns) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(columns))))
    assert {row["prediction"] for row in rows} == {"'=yes", "no"}
    assert len(rows) == 240


def test_parquet_keeps_the_labels(columns, tmp_path) -> None:
    write(columns, tmp_path / "answers.parquet")
    assert set(pl.read_parquet(tmp_path / "answers.parquet")["prediction"]) == {"=yes", "no"}
    assert [path.name for path in tmp_path.iterdir()] == ["answers.parquet"]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_full_disk_is_told_and_leaves_nothing(columns, tmp_path, monkeypatch, name: str) -> None:
    (tmp_path / name).write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "replace", full)
    with pytest.raises(DataError, match="No space left"):
        write(columns, tmp_path / name)
    assert (tmp_path / name).read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_id_that_is_called_as_an_answer_keeps_its_column() -> None:
    columns = {"prediction": ["a"], "prediction_": ["b"]}
    assert led_by("prediction", ["s1"], columns) == {"prediction__": ["s1"], **columns}
    assert list(led_by("id", ["s1"], columns)) == ["id", "prediction", "prediction_"]
