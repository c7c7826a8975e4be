import pickle

import pytest

from temperance.records import errors
from temperance.records.errors import (
    BudgetError,
    DataError,
    MissingExtra,
    RequestError,
    SettingError,
    TemperanceError,
    listed,
    nearest,
)

ALL = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, TemperanceError)]


@pytest.mark.parametrize("cls", ALL)
def test_a_message_has_three_parts_and_survives_a_process_border(cls) -> None:
    fault = cls("rate = 3", "0 to 1", "Choose a smaller one")
    assert str(fault) == "rate = 3. 0 to 1. Choose a smaller one."
    copy = pickle.loads(pickle.dumps(fault))
    assert type(copy) is cls
    assert (copy.received, copy.accepted, copy.remedy) == ("rate = 3", "0 to 1", "Choose a smaller one")


def test_the_tree_drawn_in_the_module_is_whole() -> None:
    assert all(cls.__name__ in (errors.__doc__ or "") for cls in ALL)


def test_they_are_also_what_python_programs_expect() -> None:
    assert all(issubclass(cls, ValueError) for cls in (SettingError, DataError, BudgetError))
    assert issubclass(MissingExtra, ImportError)
    assert RequestError("no", status=413).status == 413


def test_parts_may_be_left_out_and_end_once() -> None:
    assert str(DataError("what?")) == "what?"
    assert str(DataError("no rows.", "", "Add some!")) == "no rows. Add some!"


def test_the_nearest_name() -> None:
    assert nearest("anser", ["answer", "other"]) == "Did you mean 'answer'?"
    assert nearest("zzz", ["answer"]) == ""


def test_names_that_differ_in_a_number_are_listed_once() -> None:
    assert listed(["gap", "edge_02", "edge_01", "top5"]) == "edge_…, gap, top5"
