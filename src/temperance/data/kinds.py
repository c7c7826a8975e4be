"""Tell the format of a file by its first bytes, then by its ending: people rename files, bytes stay."""

from __future__ import annotations

import zipfile
from pathlib import Path

from temperance.records.damaged import DAMAGED

TEXT = frozenset({".csv", ".tsv", ".txt", ".data", ".tab", ".dat", ".psv", ".asc"})
ENDINGS = {
    **dict.fromkeys(TEXT, "text"), ".parquet": "parquet", ".pq": "parquet", ".npz": "npz", ".json": "json",
    ".jsonl": "json", ".ndjson": "json", ".geojson": "json", ".arff": "arff", ".feather": "arrow", ".arrow": "arrow",
    ".ipc": "arrow", ".orc": "orc", ".xlsx": "workbook", ".xlsm": "workbook", ".xls": "workbook", ".xlsb": "workbook",
    ".ods": "workbook", ".gz": "packed", ".xz": "packed", ".bz2": "packed", ".zip": "packed", ".sqlite": "sqlite",
    ".sqlite3": "sqlite", ".db": "sqlite", ".duckdb": "duckdb",
}  # fmt: skip
_MAGIC = (
    (0, b"PAR1", "parquet"), (0, b"ARROW1", "arrow"), (0, b"\xff\xff\xff\xff", "arrow"), (0, b"ORC", "orc"),
    (0, b"\x1f\x8b", "packed"), (0, b"\xfd7zXZ\x00", "packed"), (0, b"BZh", "packed"),
    (0, b"SQLite format 3\x00", "sqlite"), (8, b"DUCK", "duckdb"), (0, b"\xd0\xcf\x11\xe0", "workbook"),
)  # fmt: skip
_BOOKS = ("xl/", "content.xml", "[Content_Types].xml")


def kind_of(path: Path) -> str:
    """Return the format of a file: ``text``, ``parquet``, ``workbook`` …; empty where it is none that can be read."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    ending = ENDINGS.get(path.suffix.lower(), "")
    for place, sign, kind in _MAGIC:
        if head[place : place + len(sign)] == sign:
            return kind
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        return _zipped(path)
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) and not wide(head):
        return ending
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:20].lower()
    if ending in ("text", "json", "") and start[:1] in (b"{", b"["):
        return "json" if ending == "json" or _is_json(start) else (ending or "text")
    if ending in ("workbook", "parquet", "arrow", "orc", "npz") and start and b"\0" not in head:
        return "text"  # a table in text that was saved under another ending
    if start.startswith((b"@relation", b"@attribute")):
        return "arff"
    if ending:
        return ending
    return "text" if start and path.suffix.lower() not in (".pkl", ".pickle", ".py", ".exe") else ""


def wide(head: bytes) -> str:
    """Return the encoding of text with two bytes for each letter and no mark, or nothing."""
    some = head[: len(head) // 2 * 2][:4096]
    for encoding, zeros, letters in (("utf-16-le", some[1::2], some[::2]), ("utf-16-be", some[::2], some[1::2])):
        if len(some) >= 16 and zeros.count(0) > 0.7 * len(zeros) and not letters.count(0):
            return encoding
    return ""


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGED:
        return "packed"  # its reader says that the archive is damaged
    if any(name.startswith(_BOOKS) for name in names):
        return "workbook"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "packed"


def _is_json(start: bytes) -> bool:
    inner = start[1:].lstrip()
    return inner[:1] in (b'"', b"{", b"[", b"}", b"]")
