import json

import pytest

from temperance.records.errors import DataError, SettingError
from temperance.records.openings import open_test


def test_openings_are_counted_by_set_and_model(tmp_path) -> None:
    book = tmp_path / "deep" / "uses.json"
    first = open_test(book, data="d1", model="m1", command="temperance evaluate")
    assert (first.count, first.models, first.same) == (0, 0, 0)
    assert "first time" in first.sentence()
    again = open_test(book, data="d1", model="m1", command="temperance evaluate")
    assert (again.count, again.models, again.same) == (1, 1, 1)
    assert "too good" not in again.sentence()
    other = open_test(book, data="d1", model="m2", command="temperance evaluate")
    assert (other.count, other.models, other.same) == (2, 1, 0)
    assert "too good" in other.sentence()
    assert open_test(book, data="d2", model="m2", command="").count == 0
    assert len(json.loads(book.read_text())["sets"]["d1"]) == 3


def test_once_refuses_a_second_model_and_notes_nothing(tmp_path) -> None:
    book = tmp_path / "uses.json"
    open_test(book, data="d", model="m1", command="", once=True)
    with pytest.raises(SettingError, match="opened once before"):
        open_test(book, data="d", model="m2", command="", once=True)
    assert open_test(book, data="d", model="m1", command="", once=True).same == 1
    with pytest.raises(SettingError, match="opened 2 times before"):
        open_test(book, data="d", model="m2", command="", once=True)
    assert len(json.loads(book.read_text())["sets"]["d"]) == 2


HEAD = '{"format": "temperance-test-uses", "sets": '


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "x", "sets": {}}', HEAD + "[1]}", HEAD + '{"d": [{"no": 1}]}}']
)
def test_a_file_of_something_else_is_refused(tmp_path, text) -> None:
    book = tmp_path / "uses.json"
    book.write_text(text)
    with pytest.raises(DataError, match="no counter of test uses"):
        open_test(book, data="d", model="m", command="")
    assert book.read_text() == text


def test_what_stands_under_an_older_fingerprint_counts(tmp_path) -> None:
    book = tmp_path / "uses.json"
    open_test(book, data="bytes", model="m1", command="")
    with pytest.raises(SettingError, match="opened once before"):
        open_test(book, data="rows", older="bytes", model="m2", command="", once=True)
    assert open_test(book, data="rows", older="bytes", model="m2", command="").models == 1
    assert open_test(book, data="rows", older="bytes", model="m3", command="").count == 2
