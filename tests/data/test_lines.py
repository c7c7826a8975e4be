from __future__ import annotations

from pathlib import Path

import pytest

from temperance.data.lines import evenness, rewrite
from temperance.data.text import inspect
from temperance.records.errors import DataError


@pytest.mark.parametrize(
    ("content", "width", "kind"),
    [
        (b"a,b\n1,2\n3,4\n", 2, "even"),
        (b"a,b\n1,2\n3,4", 2, "even"),
        (b"a,b\n1,2\n\n3,4\n \n", 2, "even"),
        (b"a,b\n1,2\n3\n", 2, "odd"),
        (b"a,b\n1,2\n3,4,5", 2, "odd"),
        (b'a,b\n"1",2\n', 2, "quoted"),
    ],
)
def test_even_lines(tmp_path: Path, content: bytes, width: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert evenness(path, ",", width) == kind
    monkeypatch.setattr("temperance.data.lines._CHUNK", 3)
    assert evenness(path, ",", width) == kind


def made(tmp_path: Path, content: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    path = tmp_path / "a.csv"
    path.write_text(content, newline="")
    header, notes = rewrite(path, inspect(path), tmp_path / "copy.csv")
    return (tmp_path / "copy.csv").read_text(), header, notes


def test_odd_lines_are_named_and_counted(tmp_path: Path) -> None:
    rows = "1,2\n" * 30
    text, header, notes = made(tmp_path, f"a,b\n{rows}3\n4,5,6\n7,8,\n")
    assert header == ("a", "b")
    assert text.count("\n") == 32
    assert notes == (
        "1 line has (number 32) fewer fields than the header: the last ones were read as missing.",
        "1 line has (number 33) more fields than the header: left out.",
    )


def test_names_of_rows_without_a_name(tmp_path: Path) -> None:
    _, header, notes = made(tmp_path, "a,b\nr1,1,2\nr2,3,4\n")
    assert header == ("column_1", "a", "b")
    assert "one field more" in notes[0]


def test_a_quote_that_is_not_closed_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3 is not closed"):
        made(tmp_path, 'a,b\n1,2\n"3,4\n' + "5,6\n" * 20)


def test_too_many_odd_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2 with 1 field"):
        made(tmp_path, "a,b\n" + "1\n1,2\n" * 10)


def test_a_separator_in_numbers_is_not_taken_for_names_of_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 4 repeats one"):
        made(tmp_path, "x,y\n1,5,yes\n2,5,no\n1,7,yes\n3,1,no\n")
