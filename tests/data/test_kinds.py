from __future__ import annotations

from pathlib import Path

import pytest

from temperance.data.kinds import kind_of


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", b"a,b\n1,2\n", "text"),
        ("a", b"a,b\n1,2\n", "text"),
        ("a.export", b"a;b\n", "text"),
        ("a.csv", b"PAR1....", "parquet"),
        ("a.csv", b"\x1f\x8b....", "packed"),
        ("a.csv", b'[{"a": 1}]', "json"),
        ("a.csv", b"[a],b\n1,2\n", "text"),
        ("a.txt", b"@RELATION x\n", "arff"),
        ("a.csv", b"\xff\xfea\0,\0", "text"),
        ("a.csv", b"", "text"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "workbook"),
        ("a.db", b"SQLite format 3\0", "sqlite"),
        ("a", b"12345678DUCK", "duckdb"),
        ("a.pkl", b"\x80\x04", ""),
        ("a.bin", b"\0\1\2", ""),
        ("a.py", b"import os\n", ""),
    ],
)
def test_bytes_go_before_the_ending(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert kind_of(tmp_path / name) == kind
