from __future__ import annotations

from pathlib import Path

import pytest

from temperance.data.text import find_encoding, find_separator, inspect, looks_like_data
from temperance.records.errors import DataError


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb\n1,2\t3\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('a,b\n"x;y;z",1\n', ","),
        ("single\n1\n", ","),
        ("2019 sales;2020 sales\n1,5;2,5\n3,5;4,5\n", ";"),  # a name may begin with a number
        ('A title of it\n"a"| "b"| "y"| "z"\n"1"| "2"| "3"| "4"\n"1"| "2"| "3"| "4"\n', "|"),
        ("a b\n1,5 2\n1,7 3\n", " "),
    ],
)
def test_the_separator_is_found(text: str, separator: str) -> None:
    assert find_separator(text) == separator


def test_blanks_before_quotes_are_skipped_after_a_tab_too(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('"a"\t "b"\n"1"\t "x"\n')
    assert inspect(tmp_path / "a.tsv").header == ("a", "b")


def test_unnamed_columns_get_their_position(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",x\n0,1\n")
    dialect = inspect(path)
    assert dialect.header == ("column_1", "x")
    assert "column_1" in dialect.notes[0]


def test_an_unusual_separator_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a;b\n1;2\n")
    assert "';'" in inspect(path).notes[0]


def test_a_bad_byte_behind_the_first_megabytes_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    head = b"a,b\n" + "é,1\n".encode() * 1_000_000
    path.write_bytes(head + b"\xe9,1\n")
    encoding, notes = find_encoding(path)
    assert encoding == "cp1252"
    assert f"{len(head):,}" in notes[0]


def test_binary_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"PK\x03\x04\0\0")
    with pytest.raises(DataError, match="binary"):
        find_encoding(path)


def test_a_header_of_numbers_looks_like_data() -> None:
    assert looks_like_data(("39", "State-gov", "7"))
    assert not looks_like_data(("age", "job", "2020", "x", "y"))
