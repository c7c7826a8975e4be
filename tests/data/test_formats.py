"""One table in each format: the same values come out."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from temperance.data import read
from temperance.data.choices import choose
from temperance.records.errors import DataError, MissingExtra

ROWS = 40
RNG = np.random.default_rng(3)
TABLE: dict[str, list[Any]] = {
    "n": [round(float(v), 2) for v in RNG.normal(size=ROWS)],
    "c": [str(v) for v in RNG.choice(["red", "a, b", "it's"], ROWS)],
    "y": [str(v) for v in RNG.choice(["yes", "no"], ROWS)],
}
FRAME = pl.DataFrame(TABLE)
RECORDS = FRAME.to_dicts()


def csv() -> bytes:
    return FRAME.write_csv().encode()


def check(source: Any, **options: Any) -> Any:
    reading = read(source, target="y", **options)
    np.testing.assert_allclose(reading.table.rows.numeric[:, 0], TABLE["n"])
    schema = reading.table.schema
    words = np.array(schema.categorical[0].vocabulary)[reading.table.rows.categorical[:, 0]]
    assert words.tolist() == TABLE["c"]
    assert [schema.target.classes[code] for code in reading.table.target] == TABLE["y"]
    return reading


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.xz", "a.csv.bz2", "a.csv.zip", "plain", "odd.export"])
def test_text_packed_or_without_its_ending(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("folder/a.csv", csv())
            archive.writestr("__MACOSX/._a.csv", b"x")
    else:
        pack = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
        path.write_bytes(pack(csv()))
    reading = check(path)
    assert reading.table.name in ("a", "plain", "odd")


def test_an_archive_of_several_tables_is_asked_about(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one.csv", csv())
        archive.writestr("two.csv", b"a,b\n1,2\n")
    with pytest.raises(DataError, match=r"one\.csv, two\.csv"):
        read(tmp_path / "a.zip", target="y")
    check(tmp_path / "a.zip", choices=choose(sheet="one.csv"))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(csv())[:-40])
    with pytest.raises(DataError, match="unpacked"):
        read(tmp_path / "b.csv.gz", target="y")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RECORDS),
        json.dumps({"meta": {"made": "today"}, "rows": RECORDS}),
        "\n".join(json.dumps(row) for row in RECORDS),
        json.dumps(TABLE),
        json.dumps({name: dict(enumerate(values)) for name, values in TABLE.items()}),
        json.dumps([list(TABLE), *map(list, FRAME.rows())]),
        json.dumps([{"in": {"n": r["n"], "c": r["c"]}, "y": r["y"]} for r in RECORDS]),
    ],
    ids=["records", "inside", "lines", "columns", "pandas", "rows", "nested"],
)
@pytest.mark.parametrize("ending", ["json", "jsonl", "csv"])
def test_json(tmp_path: Path, content: str, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_text(content)
    check(path)


def test_a_broken_line_of_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{"a": 2\n{"a": 3}\n')
    with pytest.raises(DataError, match="line 2"):
        read(path, target="a")
    path.write_text('[{"a": 1},\n {"a" 2}]')
    with pytest.raises(DataError, match="line 2"):
        read(path, target="a")


@pytest.mark.parametrize("name", ["a.feather", "a.arrow", "a.arrows", "a.parquet", "a"])
def test_arrow_and_parquet_by_their_bytes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.arrows":
        FRAME.write_ipc_stream(path)
    elif name in ("a.parquet", "a"):
        FRAME.write_parquet(path)
    else:
        FRAME.write_ipc(path)
    check(path)
    if name != "a.parquet":
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(DataError):
            read(path, target="y")


def test_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table people (n real, c text, y text)")
        connection.execute("create table empty (n real)")
        connection.executemany("insert into people values (?, ?, ?)", FRAME.rows())
    check(path)
    with sqlite3.connect(path) as connection:
        connection.execute("create table more as select * from people limit 3")
    assert any("'more' was read" in note for note in read(path, target="y", choices=choose(drop=["n"])).notes)
    check(path, choices=choose(sheet="people"))
    with pytest.raises(DataError, match="'people'"):
        read(path, target="y", choices=choose(sheet="poeple"))


def test_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect(str(tmp_path / "a.duckdb"))
    connection.execute("create table people (n double, c varchar, y varchar)")
    connection.executemany("insert into people values (?, ?, ?)", FRAME.rows())
    connection.close()
    check(tmp_path / "a.duckdb")


ARFF = """% made by hand
@RELATION people
@attribute n numeric
@attribute 'the c' {red,'a, b','it\\'s'}
@ATTRIBUTE y {yes, no}
@data
% a comment
"""


def test_arff(tmp_path: Path) -> None:
    path = tmp_path / "a.arff"
    lines = [f'{row["n"]},"{row["c"]}",{row["y"]}' for row in RECORDS]
    path.write_text(ARFF + "\n".join(lines) + "\n")
    check(path)
    path.write_text(ARFF + "\n".join(f"{i % 3},0,{'yes' if i % 2 else 'no'}" for i in range(30)))
    assert read(path, target="y").dropped[0]["column"] == "the c"  # nominal and constant
    path.write_text(ARFF + "".join(f"{{0 {i % 3}.5, 2 {'no' if i % 2 else 'yes'}}}\n{{1 'a, b'}}\n" for i in range(30)))
    sparse = read(path, target="y").table
    assert sparse.rows.numeric[:4, 0].tolist() == [0.5, 0.0, 1.5, 0.0]
    assert [sparse.schema.target.classes[code] for code in sparse.target[:4]] == ["yes", "yes", "no", "yes"]
    path.write_text(ARFF + "{0 1.5, 9 yes}\n")
    with pytest.raises(DataError, match="9 yes"):
        read(path, target="y")


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    """Write a small xlsx by hand."""
    kinds = "http://schemas.openxmlformats.org"
    names = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{kinds}/officeDocument/2006/relationships/worksheet" '
        f'Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", f'<Types xmlns="{kinds}/package/2006/content-types"/>')
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{kinds}/package/2006/relationships"><Relationship Id="r" Type="{kinds}'
            '/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{kinds}/spreadsheetml/2006/main" xmlns:r="{kinds}/officeDocument/2006/relationships">'
            f"<sheets>{names}</sheets></workbook>",
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{kinds}/package/2006/relationships">{links}</Relationships>',
        )
        for i, rows in enumerate(sheets.values(), 1):
            cells = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
            book.writestr(
                f"xl/worksheets/sheet{i}.xml",
                f'<worksheet xmlns="{kinds}/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>',
            )


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def test_workbooks(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    path = tmp_path / "a.xlsx"
    rows = [
        ["Sales of 2023", None, None],
        [],
        list(TABLE),
        ["m", "-", "-"],
        *map(list, FRAME.rows()),
        ["Total", 3.0, None],
    ]
    workbook(path, {"Data": rows, "Empty": []})
    reading = check(path)
    assert any("above the header" in note for note in reading.notes)
    assert any("holds units" in note for note in reading.notes)
    workbook(path, {"Notes": [["a", "b"], [1, 2]], "Data": rows})
    assert any("'Notes'" in note for note in check(path).notes)  # the sheet that names the target
    check(path, choices=choose(sheet="Data"))
    path.write_bytes(b"\xd0\xcf\x11\xe0 no workbook")
    with pytest.raises(DataError, match="workbook"):
        read(path, target="y")


def test_a_reader_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from temperance.data import workbook as module

    (tmp_path / "a.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    monkeypatch.setattr(module.importlib, "import_module", _absent)
    with pytest.raises(MissingExtra, match=r"temperance\[excel\]"):
        read(tmp_path / "a.xls", target="y")


def _absent(name: str) -> Any:
    raise ImportError(name)


def test_frames_of_other_libraries() -> None:
    class Stream:
        """What Arrow tables, data sets and DuckDB relations have in common."""

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return FRAME.__arrow_c_stream__(requested_schema)

    check(Stream())
    check(FRAME.lazy())


def test_a_view_of_a_duckdb_file_reads_nothing_beside_it(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    (tmp_path / "secret.csv").write_text("a,y\n" + "1.5,u\n2.5,v\n" * 20)
    connection = duckdb.connect(str(tmp_path / "a.duckdb"))
    connection.execute(f"create view t as select * from read_csv('{tmp_path / 'secret.csv'}')")
    connection.close()
    with pytest.raises(DataError, match="cannot be read as a database"):
        read(tmp_path / "a.duckdb", target="y")


@pytest.mark.parametrize("ending", ["gz", "xz", "zip"])
def test_a_packed_file_that_is_made_to_fill_a_disk_is_refused(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("temperance.data.packed.LEAST", 2**20)
    path, text = tmp_path / f"a.csv.{ending}", b"a,b,y\n" + b"0" * 2**24
    if ending == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", text)
    else:
        path.write_bytes((gzip if ending == "gz" else lzma).compress(text))
    with pytest.raises(DataError, match="unpacks to more than"):
        read(path, target="y")


def test_a_packed_file_with_a_damaged_middle_is_refused_in_words(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(("a,b,y\n" + "".join(f"{i},{i * i},{i % 2}\n" for i in range(4000))).encode()))
    packed[200:260] = b"\xff" * 60
    (tmp_path / "a.csv.gz").write_bytes(packed)
    with pytest.raises(DataError, match="cannot be unpacked"):
        read(tmp_path / "a.csv.gz", target="y")
