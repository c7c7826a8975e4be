import pytest

from temperance.deployment import load
from temperance.deployment.record import RECORD, keep_record, record
from temperance.records.errors import BundleError
from temperance.records.measurement import Measurement


def test_a_record_is_kept_and_an_older_one_makes_way(copy) -> None:
    assert record(load(copy)) == {}
    first = Measurement("accuracy", 0.9, 0.8, 0.95, 200)
    for value in (0.5, 0.9):
        row = Measurement("accuracy", value, 0.8, 0.95, 200).to_dict()
        keep_record(copy, {"accuracy": row}, rows=200)
    assert record(load(copy)) == {"accuracy": first}


def test_a_damaged_record_is_an_error_of_the_package(copy, change) -> None:
    keep_record(copy, {}, rows=1)
    (copy / RECORD).write_text("[1")
    change(copy, RECORD)
    with pytest.raises(BundleError, match=r"record\.json is not complete"):
        record(load(copy))
