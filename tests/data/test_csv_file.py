from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from temperance.data.csv_file import CsvFile
from temperance.records.errors import DataError


def opened(path: Path, text: str | bytes) -> pl.DataFrame:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    frame = CsvFile(path).open(path.parent).frame
    return frame if isinstance(frame, pl.DataFrame) else frame.collect()


def test_fields_are_text_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    frame = opened(tmp_path / "a.csv", '\n a , b\r\n1,x\r\n\r\n2,"y\r\nz"\r\n')
    assert frame.to_dict(as_series=False) == {"a": ["1", "2"], "b": ["x", "y\r\nz"]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n\n", "no text"),
        (b"a,b\n", "no rows"),
        (b"1,1\n1,2\n", "more than once"),
        (b"a,b\n" + b"1,2\n3,4,5\n" * 5, "line 3 with 3 fields"),
        (b"a,b\n1,\0\n", "zero byte at 6"),
        (b"a,b\n1,\x81\n", "byte 6"),
        (b'a,b\n1,2\n"open,3\n', "line 3 is not closed"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(DataError, match=why) as caught:
        opened(tmp_path / "a.csv", content)
    assert caught.value.accepted
    assert caught.value.remedy


def test_western_text_is_read_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert opened(path, "name,b\ncafé,1\n".encode("cp1252"))["name"].to_list() == ["café"]
    contents = CsvFile(path).open(tmp_path)
    assert "byte 10" in contents.notes[0]
    assert "Windows-1252" in contents.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marked_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    frame = opened(tmp_path / "a.csv", "naïve,b\n1,2\n".encode(encoding))
    assert frame.columns == ["naïve", "b"]


def test_old_mac_lines_are_read(tmp_path: Path) -> None:
    assert opened(tmp_path / "a.csv", "a,b\r1,2\r3,4\r").height == 2


def test_large_files_pass_through_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    contents = CsvFile(path, large_bytes=1).open(tmp_path)
    assert isinstance(contents.frame, pl.LazyFrame)
    assert contents.column("b").to_list() == ["2", "4"]
    path.write_text("a,b\n1,2\n3,4,5\n")
    (tmp_path / "other").mkdir()
    contents = CsvFile(path, large_bytes=1).open(tmp_path / "other")
    assert contents.column("b").to_list() == ["2"]
    assert "number 3" in contents.notes[-1]
