from __future__ import annotations

from pathlib import Path

import pytest

from temperance.data.csv_file import CsvFile
from temperance.data.lines import even_rows, evenness, rewrite
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


@pytest.mark.parametrize(
    ("text", "rows"),
    [("a;b\n1;2\n3;4\n", 3), ("a;b\n1;2\n3;4", 3), ("a;b\r\n1;2\r\n", 2), ("a;b\n1;2;3\n4\n", 3), ("a;b\n\n1;2\n", 0),
     ('a;b\n"1";2\n', 0), ("a;b\n1\n", 0), ("a\nb\n", 0), ("", 0)],
)  # fmt: skip
def test_even_rows_by_counting(tmp_path: Path, text: str, rows: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    assert even_rows(path, ";", 1 if text.startswith("a\n") else 2)[0] == rows


@pytest.mark.parametrize(
    ("text", "full"),
    [("a;b\n1;2\n", True), ("a;b\n;\n1;2\n", False), ("a;b\r\n1;2\r\n;\r\n", False), ("a;b\n1;2\n;", False),
     ("a;b\n;2\n1;\n", True), (";\n1;2\n", False)],
)  # fmt: skip
@pytest.mark.parametrize("part", [2, 3, 5, 2**20])
def test_lines_of_separators_alone_are_noticed(
    tmp_path: Path, text: str, full: bool, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("temperance.data.lines._CACHED", part)
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    assert even_rows(path, ";", 2) == (text.count("\n") + (not text.endswith("\n")), full)


def test_a_long_and_a_short_line_that_count_as_even_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{i % 7};{'yes' if i % 2 else 'no'}" for i in range(200)]
    rows[50:52] = ["1;yes;9", "3"]
    path.write_text("\n".join(["x;y", *rows]) + "\n")
    found = [CsvFile(path, large_bytes=size).open(tmp_path) for size in (1, 2**40)]
    assert found[0].notes == found[1].notes
    assert any("more fields than the header" in note for note in found[0].notes)
    assert found[0].frame.lazy().collect().equals(found[1].frame.lazy().collect())
