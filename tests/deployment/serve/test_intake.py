import numpy as np
import pytest

from temperance.deployment.serve.intake import Intake, numbers
from temperance.records.errors import RequestError
from temperance.records.rows import rows_from_records
from temperance.records.schema import Column, Rows, Schema, Target

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}
CASES = [
    ROW,
    {**ROW, "x0": "3.5", "c0": " red "},
    {**ROW, "x0": "NA", "c0": "?"},
    {**ROW, "x3": True, "c0": "new"},
    {**ROW, "c0": None, "c1": ""},
    {**ROW, "c0": 7, "c1": True},
    {**ROW, "x0": 10**300, "c0": "na"},
]


def same(a: Rows, b: Rows) -> bool:
    return np.array_equal(a.numeric, b.numeric, equal_nan=True) and np.array_equal(a.categorical, b.categorical)


def test_the_fast_path_gives_the_rows_of_the_careful_one(binary):
    intake = Intake(binary)
    for case in [*([c] for c in CASES), CASES]:
        assert same(intake.rows(case), rows_from_records(binary, case))
    assert intake.rows([ROW]).numeric.dtype == np.float64
    assert intake.rows([ROW]).categorical.dtype == np.int32


def test_plain_rows_take_the_fast_path(binary, monkeypatch):
    monkeypatch.setattr("temperance.deployment.serve.intake.rows_from_records", None)
    assert Intake(binary).rows([ROW, {**ROW, "c0": None}]).size == 2


def test_a_category_that_reads_as_missing_in_a_file_is_missing_here(binary):
    words = ("na", " padded", "red")
    columns = (*binary.numeric, Column("c0", "categorical", "c0", vocabulary=words), binary.categorical[1])
    schema = Schema(columns, binary.target)
    for word in words:
        case = [{**ROW, "c0": word}]
        assert same(Intake(schema).rows(case), rows_from_records(schema, case))


def test_dates_go_the_careful_way():
    columns = tuple(Column(f"day {part}", "numeric", "day", part=part, format="iso") for part in ("days", "month"))
    schema = Schema(columns, Target("y", "binary", ("a", "b")))
    rows = Intake(schema).rows([{"day": "1970-02-02"}, {"day": None}])
    assert rows.numeric[0].tolist() == [32.0, 2.0]
    assert np.isnan(rows.numeric[1]).all()


def test_one_column_alone(binary):
    schema = Schema(binary.numeric[:1], binary.target)
    assert Intake(schema).rows([{"x0": 2}]).numeric.tolist() == [[2.0]]


def test_images():
    schema = Schema((), Target("y", "binary", ("a", "b")), "images", (2, 2, 1))
    rows = Intake(schema).rows([{"image": [[0, 1], [2, 255]]}])
    assert rows.images.ravel().tolist() == [0, 1, 2, 255]
    with pytest.raises(RequestError, match="image"):
        Intake(schema).rows([{"image": [[0, 1]]}])
    assert Intake(schema).tensors({"image": np.zeros((3, 2, 2, 1))}).size == 3


def test_numbers():
    assert numbers([1, 2.5, None], "it")[:2].tolist() == [1.0, 2.5]
    assert numbers(["1.5", True], "it").tolist() == [1.5, 1.0]
    assert numbers([10**400, 1], "it")[1] == 1.0
    for wrong in (["x"], [[1]], [{}]):
        with pytest.raises(RequestError, match="no number"):
            numbers(wrong, "it")


def test_a_number_that_means_missing_is_missing_in_a_tensor_too():
    schema = Schema((Column("a", "numeric", missing=("-999",)),), Target("y", "binary", ("a", "b")))
    rows = Intake(schema).tensors({"numeric": np.array([[-999.0], [3.0]])})
    assert same(rows, rows_from_records(schema, [{"a": -999}, {"a": 3}]))
    assert np.isnan(rows.numeric[0, 0])
