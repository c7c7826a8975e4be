"""Tables in other formats than text: JSON, ARFF, SQLite, workbooks, archives, Parquet, Arrow."""

# ruff: noqa: E501, PLR0915, C901 (a case is read best in one line)

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import polars as pl
from benchmarks.odd.case import ANSWERS, ROWS, SMALL, Case, Column, U, days, number_of, plain_right, raw, text

X = [round(v, 2) for v in U]
RECORDS: list[dict[str, Any]] = [{"x": x, "b": b, "y": y} for x, b, y in zip(X, SMALL, ANSWERS, strict=True)]
CSV = "x,b,y\n" + "\n".join(f"{r['x']},{r['b']},{r['y']}" for r in RECORDS) + "\n"
FRAME = pl.DataFrame(RECORDS)
RIGHT = plain_right(x=X)
TRUE = [bool(i % 3) for i in range(ROWS)]
TRUTH: Column = [str(v).lower() for v in TRUE]
NUMBERED: Column = [float(v) for v in TRUE]


def jsons() -> Iterator[Case]:
    def case(name: str, body: str, right: dict[str, Column] | None = None, file: str = "a.json", **more: Any) -> Case:
        return Case(name, "json", text(file, body), RIGHT if right is None else right, **more)

    rows = [list(r.values()) for r in RECORDS]
    yield case("split of pandas", json.dumps({"columns": ["x", "b", "y"], "index": list(range(ROWS)), "data": rows}))
    yield case("index of pandas", json.dumps({str(i): r for i, r in enumerate(RECORDS)}))
    fields = [{"name": n, "type": "number"} for n in ("index", "x", "b", "y")]
    yield case(
        "table of pandas",
        json.dumps(
            {
                "schema": {"fields": fields, "primaryKey": ["index"]},
                "data": [{"index": i, **r} for i, r in enumerate(RECORDS)],
            }
        ),
        dropped=("index",),
    )
    yield case("values of pandas", json.dumps(rows), refused=True)
    yield case("inside two levels", json.dumps({"response": {"status": "ok", "items": RECORDS}}))
    yield case(
        "NaN as a word",
        json.dumps([{**r, "x": float("nan") if i % 9 == 0 else r["x"]} for i, r in enumerate(RECORDS)]),
        plain_right(x=[None if i % 9 == 0 else v for i, v in enumerate(X)]),
    )
    yield case("pretty records one after another", "\n".join(json.dumps(r, indent=2) for r in RECORDS))
    yield case(
        "lines with keys absent",
        "\n".join(json.dumps({k: v for k, v in r.items() if k != "x" or i % 5}) for i, r in enumerate(RECORDS)),
        plain_right(x=[v if i % 5 else None for i, v in enumerate(X)]),
        "a.jsonl",
    )
    yield case(
        "lines with a key that comes late",
        "\n".join(json.dumps({**r, **({"z": i % 4} if i > 40 else {})}) for i, r in enumerate(RECORDS)),
        plain_right(x=X, z=[None if i <= 40 else i % 4 for i in range(ROWS)]),
        "a.ndjson",
    )
    yield case("lines and commas", ",\n".join(json.dumps(r) for r in RECORDS), file="a.jsonl")
    yield case("numbers in text", json.dumps([{**r, "x": f"{r['x']:.2f}".replace(".", ",")} for r in RECORDS]))
    yield case(
        "numbers and text", json.dumps([{**r, "x": str(r["x"]) if i % 2 else r["x"]} for i, r in enumerate(RECORDS)])
    )
    yield case(
        "truth values",
        json.dumps([{**r, "x": bool(t)} for r, t in zip(RECORDS, TRUE, strict=True)]),
        plain_right(x=TRUTH),
        or_else=(plain_right(x=NUMBERED),),
    )
    sets = [{("red", "blue", "green")[k] for k in range(3) if (i + k) % 3} for i in range(ROWS)]
    yield case(
        "lists in cells",
        json.dumps([{**r, "x": sorted(s)} for r, s in zip(RECORDS, sets, strict=True)]),
        plain_right(),
        sets={"x": sets},
    )
    yield case(
        "records in cells", json.dumps([{**r, "x": {"u": {"v": r["x"]}}} for r in RECORDS]), plain_right(**{"x.u.v": X})
    )
    yield case(
        "large whole numbers",
        json.dumps([{**r, "x": 2**60 + i % 9} for i, r in enumerate(RECORDS)]),
        plain_right(x=[str(2**60 + i % 9) for i in range(ROWS)]),
    )
    yield case(
        "features of geojson",
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {"type": "Feature", "geometry": {"type": "Point", "coordinates": [i, i]}, "properties": r}
                    for i, r in enumerate(RECORDS)
                ],
            }
        ),
        {"properties.x": X},
        target="properties.y",
    )
    yield Case("mark in front", "json", raw("a.json", b"\xef\xbb\xbf" + json.dumps(RECORDS).encode()), RIGHT)
    yield case("with comments", "// made by hand\n" + json.dumps(RECORDS), refused=True)


def arffs() -> Iterator[Case]:
    head = "@relation t\n@attribute x numeric\n@attribute b integer\n@attribute y {{{}}}\n@data\n"

    def case(name: str, body: str, right: dict[str, Column] | None = None, **more: Any) -> Case:
        return Case(name, "arff", text("a.arff", body), RIGHT if right is None else right, **more)

    dense = "\n".join(f"{r['x']},{r['b']},{r['y']}" for r in RECORDS)
    sparse = "\n".join(
        "{" + ", ".join(f"{j} {v}" for j, v in ((0, r["x"]), (1, r["b"]), (2, r["y"])) if v not in (0, "no")) + "}"
        for r in RECORDS
    )
    yield case("sparse", head.format("no,yes") + sparse)
    yield case(
        "unknown cells",
        head.format("no,yes")
        + "\n".join(line if i % 9 else "?" + line[line.index(",") :] for i, line in enumerate(dense.split("\n"))),
        plain_right(x=[v if i % 9 else None for i, v in enumerate(X)]),
    )
    yield case(
        "dates",
        head.format("no,yes").replace("x numeric", 'x date "yyyy-MM-dd"')
        + "\n".join(f'"{d}",{r["b"]},{r["y"]}' for d, r in zip(days(), RECORDS, strict=True)),
        plain_right(x=[number_of(d) for d in days()]),
    )
    yield case(
        "blanks in names",
        head.format("no,yes").replace("attribute x", "attribute 'the x'") + dense,
        plain_right(**{"the x": X}),
    )
    yield case(
        "a string",
        head.format("no,yes").replace("x numeric", "x string")
        + "\n".join(f"'it\\'s {i % 3}',{r['b']},{r['y']}" for i, r in enumerate(RECORDS)),
        plain_right(x=[f"it's {i % 3}" for i in range(ROWS)]),
    )


def database(statements: list[str], more: Callable[[sqlite3.Connection], None] | None = None) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        with sqlite3.connect(folder / "a.db") as connection:
            connection.execute("create table t (x real, b integer, y text)")
            connection.executemany("insert into t values (?, ?, ?)", [tuple(r.values()) for r in RECORDS])
            for statement in statements:
                connection.execute(statement)
            if more:
                more(connection)
        connection.close()
        return folder / "a.db"

    return write


def databases() -> Iterator[Case]:
    yield Case("a view beside the table", "sqlite", database(["create view v as select x from t"]), RIGHT)
    yield Case(
        "dates in text",
        "sqlite",
        database(
            ["alter table t add column d text", "update t set d = date('2020-01-01', '+' || (rowid * 3) || ' days')"]
        ),
        plain_right(x=X, d=[number_of(dt.date(2020, 1, 1) + dt.timedelta(days=3 * (i + 1))) for i in range(ROWS)]),
    )
    yield Case(
        "text among numbers",
        "sqlite",
        database(["update t set x = 'n/a' where rowid % 9 = 1"]),
        plain_right(x=[None if (i + 1) % 9 == 1 else v for i, v in enumerate(X)]),
    )
    yield Case(
        "bytes",
        "sqlite",
        database(["alter table t add column blob blob", "update t set blob = x'00ff'"]),
        RIGHT,
        dropped=("blob",),
    )
    yield Case(
        "names with blanks",
        "sqlite",
        database(["alter table t rename column x to 'the x'"]),
        plain_right(**{"the x": X}),
    )
    yield Case(
        "numbers without affinity",
        "sqlite",
        database(["create table u as select cast(x as text) as x, b, y from t", "drop table t"]),
        RIGHT,
    )


def workbook(*sheets: tuple[str, list[list[Any]]], state: dict[str, str] | None = None, merged: str = "", date_columns: tuple[int, ...] = (), percent: tuple[int, ...] = ()) -> Callable[[Path], Path]:  # fmt: skip
    """Return a writer of an xlsx; a cell is a value, None, ``("=", formula, value)`` or ``("!", error)``."""

    def cell(value: Any, place: str, style: int) -> str:
        if value is None:
            return ""
        if isinstance(value, tuple):
            if value[0] == "!":
                return f'<c r="{place}" t="e"><v>{value[1]}</v></c>'
            return f'<c r="{place}"><f>{escape(value[1])}</f><v>{value[2]}</v></c>'
        if isinstance(value, bool):
            return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
        if isinstance(value, dt.date):
            return f'<c r="{place}" s="1"><v>{(value - dt.date(1899, 12, 30)).days}</v></c>'
        if isinstance(value, (int, float)):
            return f'<c r="{place}"{f" s={chr(34)}{style}{chr(34)}" if style else ""}><v>{value}</v></c>'
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'

    def sheet(rows: list[list[Any]]) -> str:
        body = "".join(
            f'<row r="{i}">'
            + "".join(cell(v, f"{chr(65 + j)}{i}", 2 if j in percent else 0) for j, v in enumerate(row))
            + "</row>"
            for i, row in enumerate(rows, 1)
        )
        merge = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
        return f'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{body}</sheetData>{merge}</worksheet>'

    def write(folder: Path) -> Path:
        main = "http://schemas.openxmlformats.org"
        kinds = "".join(
            f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for i in range(1, len(sheets) + 1)
        )
        names = "".join(
            f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"{(chr(32) + f"state={chr(34)}{(state or {})[name]}{chr(34)}") if name in (state or {}) else ""}/>'
            for i, (name, _) in enumerate(sheets, 1)
        )
        rels = "".join(
            f'<Relationship Id="rId{i}" Type="{main}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in range(1, len(sheets) + 1)
        )
        with zipfile.ZipFile(folder / "a.xlsx", "w") as out:
            out.writestr(
                "[Content_Types].xml",
                f'<?xml version="1.0"?><Types xmlns="{main}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>{kinds}</Types>',
            )
            out.writestr(
                "_rels/.rels",
                f'<?xml version="1.0"?><Relationships xmlns="{main}/package/2006/relationships"><Relationship Id="rId1" Type="{main}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            )
            out.writestr(
                "xl/workbook.xml",
                f'<?xml version="1.0"?><workbook xmlns="{main}/spreadsheetml/2006/main" xmlns:r="{main}/officeDocument/2006/relationships"><sheets>{names}</sheets></workbook>',
            )
            out.writestr(
                "xl/_rels/workbook.xml.rels",
                f'<?xml version="1.0"?><Relationships xmlns="{main}/package/2006/relationships">{rels}<Relationship Id="rId99" Type="{main}/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>',
            )
            out.writestr(
                "xl/styles.xml",
                f'<?xml version="1.0"?><styleSheet xmlns="{main}/spreadsheetml/2006/main"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="10" applyNumberFormat="1"/></cellXfs></styleSheet>',
            )
            for i, (_, rows) in enumerate(sheets, 1):
                out.writestr(f"xl/worksheets/sheet{i}.xml", sheet(rows))
        return folder / "a.xlsx"

    return write


def workbooks() -> Iterator[Case]:
    rows: list[list[Any]] = [["x", "b", "y"], *[list(r.values()) for r in RECORDS]]
    notes: list[list[Any]] = [["About this file"], ["Made by hand"]]

    def case(name: str, write: Callable[[Path], Path], right: dict[str, Column] | None = None, **more: Any) -> Case:
        return Case(name, "xlsx", write, RIGHT if right is None else right, **more)

    yield case("title rows", workbook(("Data", [["Sales report"], ["made on Monday"], [], *rows])))
    yield case("merged title", workbook(("Data", [["Sales report", None, None], *rows]), merged="A1:C1"))
    yield case("blank column and rows first", workbook(("Data", [[], [], *[[None, *row] for row in rows]])))
    yield case(
        "formulas",
        workbook(
            (
                "Data",
                [
                    ["x", "b", "z", "y"],
                    *[[x, b, ("=", f"A{i}*2", round(2 * x, 2)), y] for i, (x, b, y) in enumerate(rows[1:], 2)],
                ],
            )
        ),
        plain_right(x=X, z=[round(2 * x, 2) for x in X]),
    )
    yield case("hidden sheet first", workbook(("Secret", [["a"], [1]]), ("Data", rows), state={"Secret": "hidden"}))
    yield case("notes first, data second", workbook(("Read me", notes), ("Data", rows)))
    yield case(
        "totals row",
        workbook(
            (
                "Data",
                [
                    ["city", *rows[0]],
                    *[[("Rome", "Oslo")[i % 2], *row] for i, row in enumerate(rows[1:])],
                    ["Total", sum(X), sum(SMALL), None],
                ],
            )
        ),
        plain_right(x=X, city=[("Rome", "Oslo")[i % 2] for i in range(ROWS)]),
    )
    yield case(
        "errors",
        workbook(
            (
                "Data",
                [rows[0], *[[("!", "#DIV/0!") if i % 9 == 0 else x, b, y] for i, (x, b, y) in enumerate(rows[1:])]],
            )
        ),
        plain_right(x=[None if i % 9 == 0 else v for i, v in enumerate(X)]),
    )
    yield case(
        "dates",
        workbook(("Data", [rows[0], *[[d, b, y] for d, (_, b, y) in zip(days(), rows[1:], strict=True)]])),
        plain_right(x=[number_of(d) for d in days()]),
    )
    yield case(
        "dates and dates in text",
        workbook(
            (
                "Data",
                [
                    rows[0],
                    *[
                        [d if i % 5 else f"{d:%d.%m.%Y}", b, y]
                        for i, (d, (_, b, y)) in enumerate(zip(days(), rows[1:], strict=True))
                    ],
                ],
            )
        ),
        plain_right(x=[number_of(d) for d in days()]),
    )
    yield case(
        "percent format",
        workbook(("Data", [rows[0], *[[round(x / 1000, 4), b, y] for x, b, y in rows[1:]]]), percent=(0,)),
        plain_right(x=[round(x / 1000, 4) for x in X]),
    )
    yield case(
        "numbers in text",
        workbook(("Data", [rows[0], *[[f"{x:.2f}".replace(".", ","), b, y] for x, b, y in rows[1:]]])),
    )
    yield case(
        "codes in text",
        workbook(("Data", [rows[0], *[[f"{i % 30:05d}", b, y] for i, (_, b, y) in enumerate(rows[1:])]])),
        plain_right(x=[f"{i % 30:05d}" for i in range(ROWS)]),
    )
    yield case(
        "truth values",
        workbook(("Data", [rows[0], *[[t, b, y] for t, (_, b, y) in zip(TRUE, rows[1:], strict=True)]])),
        plain_right(x=TRUTH),
        or_else=(plain_right(x=NUMBERED),),
    )
    yield case(
        "blank rows between",
        workbook(("Data", [row for i, one in enumerate(rows) for row in ([one, []] if i % 20 == 10 else [one])])),
    )
    yield case(
        "merged groups in a column",
        workbook(
            (
                "Data",
                [
                    ["city", *rows[0]],
                    *[[("Rome", "Oslo")[i // 10 % 2] if i % 10 == 0 else None, *row] for i, row in enumerate(rows[1:])],
                ],
            ),
            merged="A2:A11",
        ),
        plain_right(x=X, city=[("Rome", "Oslo")[i // 10 % 2] for i in range(ROWS)]),
        or_else=(plain_right(x=X, city=[("Rome", "Oslo")[i // 10 % 2] if i % 10 == 0 else None for i in range(ROWS)]),),
    )
    yield Case(
        "a table of a page saved as .xls",
        "xlsx",
        raw("a.xls", b"<html><body><table><tr><td>x</td><td>y</td></tr></table></body></html>"),
        {},
        refused=True,
    )
    yield Case("a CSV saved as .xlsx", "xlsx", raw("a.xlsx", CSV.encode()), RIGHT)


def packed() -> Iterator[Case]:
    def zipped(**files: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, body in files.items():
                archive.writestr(name.replace("__", "/").replace("_dot_", "."), body)
        return out.getvalue()

    def tar(mode: str) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
            one = tarfile.TarInfo("folder/a.csv")
            one.size = len(CSV)
            archive.addfile(one, io.BytesIO(CSV.encode()))
        return out.getvalue()

    yield Case("gz in a zip", "packed", raw("a.zip", zipped(a_dot_csv_dot_gz=gzip.compress(CSV.encode()))), RIGHT)
    yield Case(
        "zip with a read-me",
        "packed",
        raw("a.zip", zipped(data__a_dot_csv=CSV.encode(), README_dot_md=b"# About\n", LICENSE=b"free")),
        RIGHT,
    )
    yield Case("packed twice", "packed", raw("a.csv.gz", gzip.compress(gzip.compress(CSV.encode()))), RIGHT)
    yield Case("gz under another ending", "packed", raw("a.csv", gzip.compress(CSV.encode())), RIGHT)
    yield Case("tar.gz", "packed", raw("a.tar.gz", tar("w:gz")), RIGHT)
    yield Case(
        "json lines in xz",
        "packed",
        raw("a.jsonl.xz", lzma.compress("\n".join(map(json.dumps, RECORDS)).encode())),
        RIGHT,
    )
    yield Case(
        "two gz one after another",
        "packed",
        raw("a.csv.gz", gzip.compress(CSV[:500].encode()) + gzip.compress(CSV[500:].encode())),
        RIGHT,
    )
    frame = io.BytesIO()
    FRAME.write_parquet(frame)
    yield Case("Parquet in a zip", "packed", raw("a.zip", zipped(a_dot_parquet=frame.getvalue())), RIGHT)


def frames() -> Iterator[Case]:
    def case(
        name: str, series: pl.Series | list[Any], right: Column | None, kind: str = "parquet", **more: Any
    ) -> Case:
        frame = FRAME.with_columns(
            pl.Series("x", series, strict=False) if isinstance(series, list) else series.alias("x")
        )

        def write(folder: Path) -> Path:
            path = folder / f"a.{kind}"
            {"parquet": frame.write_parquet, "arrow": frame.write_ipc, "arrows": frame.write_ipc_stream}[kind](path)
            return path

        return Case(name, kind, write, plain_right() if right is None else plain_right(x=right), **more)

    moments = [dt.datetime(2023, 1, 1, 12, tzinfo=dt.UTC) + dt.timedelta(hours=7 * i) for i in range(ROWS)]
    at = [19358.5 + 7 * i / 24 for i in range(ROWS)]
    yield case("decimals", [Decimal(str(v)) for v in X], X)
    yield case(
        "dictionary",
        pl.Series([("red", "blue")[i % 2] for i in range(ROWS)], dtype=pl.Categorical),
        [("red", "blue")[i % 2] for i in range(ROWS)],
    )
    yield case("zones", pl.Series(moments).dt.convert_time_zone("Europe/Berlin"), at)
    yield case("nanoseconds", pl.Series(moments).dt.replace_time_zone(None).cast(pl.Datetime("ns")), at)
    yield case("large whole numbers", [2**60 + i % 9 for i in range(ROWS)], [str(2**60 + i % 9) for i in range(ROWS)])
    yield case(
        "unsigned",
        pl.Series([2**63 + i % 9 for i in range(ROWS)], dtype=pl.UInt64),
        [str(2**63 + i % 9) for i in range(ROWS)],
    )
    yield case("small whole numbers", pl.Series(SMALL, dtype=pl.UInt8), [float(v) for v in SMALL])
    yield case("truth values", TRUE, TRUTH, or_else=(plain_right(x=NUMBERED),))
    yield case("durations", [dt.timedelta(minutes=30 * i) for i in range(ROWS)], [i / 2 for i in range(ROWS)])
    yield case("times", [dt.time(i % 24, 30) for i in range(ROWS)], [i % 24 + 0.5 for i in range(ROWS)])
    yield case("nothing in a column", pl.Series([None] * ROWS, dtype=pl.Null), None, dropped=("x",))
    yield case("records", [{"u": v, "w": i % 3} for i, v in enumerate(X)], None, dropped=("x",))
    sets = [{("red", "blue", "green")[k] for k in range(3) if (i + k) % 3} for i in range(ROWS)]
    yield case("lists", [sorted(s) for s in sets], None, sets={"x": sets})
    yield case("bytes", [b"\x00\xff"] * ROWS, None, dropped=("x",))
    yield case("numbers in text", [f"{v:.2f}".replace(".", ",") for v in X], X)
    yield case(
        "infinite",
        [float("inf") if i % 9 == 0 else v for i, v in enumerate(X)],
        [None if i % 9 == 0 else v for i, v in enumerate(X)],
    )
    yield case("stream", X, X, "arrows")
    yield case(
        "dictionary",
        pl.Series([("red", "blue")[i % 2] for i in range(ROWS)], dtype=pl.Categorical),
        [("red", "blue")[i % 2] for i in range(ROWS)],
        "arrow",
    )
    yield case(
        "half floats", pl.Series(X, dtype=pl.Float32), [float(pl.Series([v], dtype=pl.Float32)[0]) for v in X], "arrow"
    )

    def folder(split: Callable[[Path], None]) -> Callable[[Path], Path]:
        def write(path: Path) -> Path:
            (path / "t").mkdir()
            split(path / "t")
            return path / "t"

        return write

    def parts(path: Path) -> None:
        for k in range(4):
            FRAME[20 * k : 20 * k + 20].write_parquet(path / f"{k}.parquet")

    def hive(path: Path) -> None:
        for k in range(4):
            (path / f"region={'ab'[k % 2]}" / f"part={k}").mkdir(parents=True)
            FRAME[20 * k : 20 * k + 20].write_parquet(path / f"region={'ab'[k % 2]}" / f"part={k}" / "0.parquet")

    def other_order(path: Path) -> None:
        FRAME[:40].write_parquet(path / "0.parquet")
        FRAME[40:].select("y", "b", "x").write_parquet(path / "1.parquet")

    def other_types(path: Path) -> None:
        FRAME[:40].with_columns(pl.col("b").cast(pl.Int32)).write_parquet(path / "0.parquet")
        FRAME[40:].write_parquet(path / "1.parquet")

    def more_columns(path: Path) -> None:
        FRAME[:40].drop("b").write_parquet(path / "0.parquet")
        FRAME[40:].write_parquet(path / "1.parquet")

    def texts(path: Path) -> None:
        for k in range(4):
            (path / f"{k}.csv").write_text("x,b,y\n" + "\n".join(CSV.split("\n")[1 + 20 * k : 21 + 20 * k]) + "\n")

    yield Case("parts", "folder", folder(parts), RIGHT)
    order = sorted(range(4), key=lambda k: (k % 2, k))
    index = [i for k in order for i in range(20 * k, 20 * k + 20)]
    moved = {name: [values[i] for i in index] for name, values in RIGHT.items()}
    yield Case(
        "hive partitions",
        "folder",
        folder(hive),
        {**moved, "region": ["ab"[i // 20 % 2] for i in index]},
        answers=[ANSWERS[i] for i in index],
    )
    yield Case("columns in another order", "folder", folder(other_order), RIGHT)
    yield Case("whole numbers of two sizes", "folder", folder(other_types), RIGHT)
    yield Case(
        "a column absent in one",
        "folder",
        folder(more_columns),
        {"x": X, "b": [None] * 40 + [float(v) for v in SMALL[40:]]},
    )
    yield Case("CSV parts", "folder", folder(texts), RIGHT)


def formats() -> list[Case]:
    """Return all."""
    return [*jsons(), *arffs(), *databases(), *workbooks(), *packed(), *frames()]
