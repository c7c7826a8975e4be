"""Text files that are laid out oddly: what stands above, below and between the rows, encodings, quotes, separators."""

# ruff: noqa: E501, PLR0915 (a case is read best in one line)

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.odd.case import ANSWERS, ROWS, SMALL, Case, Column, U, plain_right, raw, text

X = [round(v, 2) for v in U]
CITIES = [("Köln", "Zürich", "Paris")[i % 3] for i in range(ROWS)]
ROW = [f"{x},{b},{y}" for x, b, y in zip(X, SMALL, ANSWERS, strict=True)]
HEAD = "x,b,y"
BODY = "\n".join([HEAD, *ROW, ""])
RIGHT = plain_right(x=X)
WORDS = [f'say "hi" {i % 4}' for i in range(ROWS)]


def case(kind: str, name: str, body: str, right: dict[str, Column] | None = None, *, file: str = "a.csv", encoding: str = "utf-8", newline: str | None = None, **more: object) -> Case:  # fmt: skip
    return Case(name, kind, text(file, body, encoding, newline), RIGHT if right is None else right, **more)  # type: ignore[arg-type]


def rows(sep: str = ",", columns: tuple[Column, ...] = (X, SMALL, ANSWERS), end: str = "") -> str:
    return "\n".join(
        sep.join(str("" if cell is None else cell) for cell in row) + end for row in zip(*columns, strict=True)
    )


def around() -> Iterator[Case]:
    """Titles, footers, totals, units, headers."""
    yield case("title rows", "export of a spreadsheet", f"Sales report,,\nCreated 2023-01-02,,\n,,\n{BODY}")
    yield case("title rows", "key and value pairs", f"Station: A1\nUnit: mm\n\n{BODY}")
    yield case("title rows", "long title with commas", f"Sales, by region, and year, all of them\n{BODY}")
    yield case("footer", "source line", f"{BODY}Source: office of numbers\n")
    yield case("footer", "blank line and notes", f"{BODY}\nNotes: * preliminary\nDownloaded 2023-01-02\n")
    yield case("footer", "count of rows", f"{BODY}({ROWS} rows affected)\n")
    yield case("footer", "end of file mark", f"{BODY}\x1a")
    yield case("footer", "psql line", f"x|b|y\n{rows('|')}\n({ROWS} rows)\n")
    with_city = rows(",", (CITIES, X, SMALL, ANSWERS))
    right = plain_right(city=CITIES, x=X)
    yield case("totals", "Total", f"city,x,b,y\n{with_city}\nTotal,{sum(X):.2f},{sum(SMALL)},\n", right)
    yield case(
        "totals", "Summe:", f"city;x;b;y\n{with_city.replace(',', ';')}\nSumme:;{sum(X):.2f};{sum(SMALL)};\n", right
    )
    yield case("totals", "Average", f"city,x,b,y\n{with_city}\nAverage,{sum(X) / ROWS:.2f},3,\n", right)
    yield case(
        "totals",
        "total and mean",
        f"city,x,b,y\n{with_city}\nTotal,{sum(X):.2f},{sum(SMALL)},\nMean,{sum(X) / ROWS:.2f},3,\n",
        right,
    )
    yield case("totals", "blank cell and sums", f"city,x,b,y\n{with_city}\n,{sum(X):.2f},{sum(SMALL)},\n", right)
    parts = "\n".join(
        line + (f"\nSubtotal,{i}99.5,30,\n" if i % 20 == 19 else "") for i, line in enumerate(with_city.split("\n"))
    ).replace("\n\n", "\n")
    yield case("totals", "subtotals between", f"city,x,b,y\n{parts}\n", right)
    yield case("units row", "in brackets", f"{HEAD}\n(kg),(n),(-)\n{rows()}\n")
    yield case("units row", "types", f"{HEAD}\nfloat,int,str\n{rows()}\n")
    yield case("two header rows", "groups above", f"measured,,asked\n{BODY}")
    yield case("two header rows", "groups repeated", f"measured,measured,asked\n{BODY}")
    yield case("two header rows", "labels below", f"{HEAD}\nthe price,how many,bought?\n{rows()}\n")
    yield case(
        "header",
        "twice the same name",
        f"x,x,y\n{rows()}\n",
        {"x": X},
        or_else=({"x": X, "x_2": [float(v) for v in SMALL]},),
    )
    yield case("header", "a blank name", f",b,y\n{rows()}\n", plain_right(column_1=X))
    yield case(
        "header",
        "pandas index",
        ",x,b,y\n" + "\n".join(f"{i},{line}" for i, line in enumerate(ROW)) + "\n",
        dropped=("column_1",),
    )
    yield case(
        "header",
        "Unnamed: 0",
        "Unnamed: 0,x,b,y\n" + "\n".join(f"{i},{line}" for i, line in enumerate(ROW)) + "\n",
        dropped=("Unnamed: 0",),
    )
    yield case(
        "header",
        "line break in a name",
        f'"x\n(EUR)",b,y\n{rows()}\n',
        plain_right(**{"x\n(EUR)": X}),
        or_else=(plain_right(**{"x (EUR)": X}),),
    )
    yield case("header", "blanks round names", f" x , b , y \n{rows()}\n")
    yield case("header", "years as names", f"2019,2020,y\n{rows()}\n", {"2019": X, "2020": [float(v) for v in SMALL]})
    yield case("header", "capitals of the target", f"x,b,Y\n{rows()}\n", refused=True)
    yield case("header", "none at all", rows() + "\n", refused=True)
    yield case(
        "header", "repeated in the middle", BODY + BODY, {k: v + v for k, v in RIGHT.items()}, answers=ANSWERS + ANSWERS
    )
    yield case("header", "R row names", f"{HEAD}\n" + "\n".join(f"r{i},{line}" for i, line in enumerate(ROW)) + "\n")
    yield case("header", "commented", f"# {BODY}")
    yield case(
        "comments",
        "between the rows",
        f"{HEAD}\n" + "\n".join(line + ("\n# checked" if i % 30 == 9 else "") for i, line in enumerate(ROW)) + "\n",
    )
    yield case("comments", "block above", f"# made by hand\n# on Monday\n#\n{BODY}")
    yield case("comments", "percent signs", f"% made by hand\n% on Monday\n{BODY}")
    yield case("blank lines", "between all rows", BODY.replace("\n", "\n\n"))
    yield case("blank lines", "at both ends", f"\n\n\n{BODY}\n\n\n")
    yield case("blank lines", "rows of separators", BODY + ",,\n,,\n,,\n")
    yield case("trailing separators", "everywhere", BODY.replace("\n", ",\n"))
    yield case("trailing separators", "rows alone", f"{HEAD}\n{rows(end=',')}\n")
    yield case("trailing separators", "three", BODY.replace("\n", ",,,\n"))


def written() -> Iterator[Case]:
    """Encodings, ends of lines, quotes, separators."""
    cities = f"city,x,b,y\n{rows(',', (CITIES, X, SMALL, ANSWERS))}\n"
    right = plain_right(city=CITIES, x=X)
    for encoding in ("utf-8-sig", "utf-16", "latin-1", "cp1252"):
        yield case("encoding", encoding, cities, right, encoding=encoding)
    yield Case("utf-16 without mark", "encoding", raw("a.csv", cities.encode("utf-16-le")), right)
    yield Case("utf-16 big end", "encoding", raw("a.csv", b"\xfe\xff" + cities.encode("utf-16-be")), right)
    yield Case("utf-32", "encoding", raw("a.csv", cities.encode("utf-32")), right)
    yield case("encoding", "mac roman", cities, right, encoding="mac-roman")
    yield case(
        "encoding",
        "dos 437",
        cities.replace("Köln", "Koln"),
        plain_right(city=[c.replace("ö", "o") for c in CITIES], x=X),
        encoding="cp437",
    )
    yield case(
        "encoding",
        "cyrillic 1251",
        cities.replace("Köln", "Москва").replace("Zürich", "Киев"),
        plain_right(city=[c.replace("Köln", "Москва").replace("Zürich", "Киев") for c in CITIES], x=X),
        encoding="cp1251",
    )
    lines = cities.split("\n")
    mixed = b"\n".join(line.encode("cp1252" if i % 2 else "utf-8") for i, line in enumerate(lines))
    yield Case("lines of two encodings", "encoding", raw("a.csv", mixed), right)
    yield case(
        "encoding",
        "mark in the middle",
        BODY + "\ufeff" + "\n".join(ROW[:5]) + "\n",
        {k: v + v[:5] for k, v in RIGHT.items()},
        answers=ANSWERS + ANSWERS[:5],
    )
    yield Case("zero byte", "encoding", raw("a.csv", BODY.encode().replace(b"yes", b"yes\0", 1)), RIGHT)
    for name, end in (("crlf", "\r\n"), ("cr", "\r"), ("cr cr lf", "\r\r\n")):
        yield case("line ends", name, BODY, newline=end)
    yield case(
        "line ends",
        "mixed",
        "".join(line + ("\r\n" if i % 2 else "\n") for i, line in enumerate(BODY.strip().split("\n"))),
    )
    yield case("line ends", "none at the end", BODY.rstrip("\n"))
    say = plain_right(say=WORDS, x=X)
    columns = (X, SMALL, ANSWERS)

    def said(form: str) -> str:
        return (
            "say,x,b,y\n"
            + "\n".join(
                f"{form.format(w)},{x},{b},{y}"
                for w, x, b, y in zip([f"hi{i % 4}" for i in range(ROWS)], *columns, strict=True)
            )
            + "\n"
        )

    names = [f"hi{i % 4}" for i in range(ROWS)]
    yield case(
        "quotes",
        "doubled",
        "say,x,b,y\n"
        + "\n".join('"' + w.replace('"', '""') + f'",{line}' for w, line in zip(WORDS, ROW, strict=True))
        + "\n",
        say,
    )
    yield case(
        "quotes",
        "backslash",
        "say,x,b,y\n"
        + "\n".join('"' + w.replace('"', '\\"') + f'",{line}' for w, line in zip(WORDS, ROW, strict=True))
        + "\n",
        say,
    )
    yield case(
        "quotes",
        "bare inside",
        "say,x,b,y\n" + "\n".join(f"{w},{line}" for w, line in zip(WORDS, ROW, strict=True)) + "\n",
        say,
    )
    yield case(
        "quotes",
        "bare inside quotes",
        "say,x,b,y\n" + "\n".join(f'"{w}",{line}' for w, line in zip(WORDS, ROW, strict=True)) + "\n",
        say,
    )
    yield case("quotes", "one apostrophe", said("it's {}"), plain_right(say=[f"it's {n}" for n in names], x=X))
    yield case("quotes", "single round all", said("'a, {}'"), plain_right(say=[f"a, {n}" for n in names], x=X))
    yield case(
        "quotes",
        "curly",
        said("“{}”"),
        plain_right(say=[f"“{n}”" for n in names], x=X),
        or_else=(plain_right(say=names, x=X),),
    )
    yield case("quotes", "blank before", said(' "{}, you"'), plain_right(say=[f"{n}, you" for n in names], x=X))
    yield case("quotes", "blank behind", said('"{}, you" '), plain_right(say=[f"{n}, you" for n in names], x=X))
    yield case("quotes", "line breaks inside", said('"{},\nyou"'), plain_right(say=[f"{n},\nyou" for n in names], x=X))
    yield case("quotes", "each line as one", "\n".join(f'"{line}"' for line in BODY.strip().split("\n")) + "\n")
    yield case(
        "quotes",
        "numbers too",
        "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in BODY.strip().split("\n")) + "\n",
    )
    yield case(
        "quotes",
        "inch marks",
        "tv,x,b,y\n" + "\n".join(f'{30 + i % 4}" screen,{line}' for i, line in enumerate(ROW)) + "\n",
        plain_right(tv=[f'{30 + i % 4}" screen' for i in range(ROWS)], x=X),
    )
    for name, sep in (
        ("; and blank", "; "),
        (", and blank", ", "),
        ("blank bar blank", " | "),
        ("two bars", "||"),
        ("hive", "\x01"),
        ("unit sign", "\x1f"),
        ("caret", "^"),
        ("tilde", "~"),
        ("colon", ":"),
        ("section", "§"),
        ("tabs and blanks", "\t "),
        ("several tabs", "\t\t"),
        ("hash", "#"),
        ("slash", "/"),
    ):
        yield case("separator", name, BODY.replace(",", sep))
    yield case("separator", "sep=|", "sep=|\n" + BODY.replace(",", "|"))
    yield case(
        "separator",
        "markdown",
        "| x | b | y |\n|---|---|---|\n" + "\n".join(f"| {line.replace(',', ' | ')} |" for line in ROW) + "\n",
    )
    yield case(
        "separator",
        "box of psql",
        "   x   | b |  y\n-------+---+-----\n"
        + "\n".join(f" {x:6} | {b} | {y}" for x, b, y in zip(X, SMALL, ANSWERS, strict=True))
        + f"\n({ROWS} rows)\n",
    )
    yield case(
        "separator",
        "grid of plus signs",
        "+---+---+---+\n| x | b | y |\n+---+---+---+\n"
        + "\n".join(f"| {line.replace(',', ' | ')} |" for line in ROW)
        + "\n+---+---+---+\n",
    )
    yield case(
        "separator", "latex", "\n".join(line.replace(",", " & ") + r" \\" for line in BODY.strip().split("\n")) + "\n"
    )
    fixed = [
        f"{'x':>10}{'b':>5}{'y':>6}",
        *(f"{x:10.2f}{b:5d}{y:>6}" for x, b, y in zip(X, SMALL, ANSWERS, strict=True)),
    ]
    yield case("fixed width", "aligned", "\n".join(fixed) + "\n", file="a.txt")
    yield case("fixed width", "line of dashes", "\n".join([fixed[0], "-" * 21, *fixed[1:]]) + "\n", file="a.txt")
    holes = [line[:10] + "     " + line[15:] if i % 9 == 5 else line for i, line in enumerate(fixed)]
    yield case(
        "fixed width",
        "empty cells",
        "\n".join(holes) + "\n",
        {"x": X, "b": [None if i % 9 == 4 else float(v) for i, v in enumerate(SMALL)]},
        file="a.txt",
    )
    names2 = [f"New York {i % 3}" for i in range(ROWS)]
    fixed2 = [
        f"{'city':<14}{'x':>10}{'b':>5}{'y':>6}",
        *(f"{c:<14}{x:10.2f}{b:5d}{y:>6}" for c, x, b, y in zip(names2, X, SMALL, ANSWERS, strict=True)),
    ]
    yield case(
        "fixed width", "words with blanks", "\n".join(fixed2) + "\n", plain_right(city=names2, x=X), file="a.txt"
    )
    short = [line if i % 20 else line.rsplit(",", 1)[0] for i, line in enumerate(ROW)]
    kept = [i for i in range(ROWS) if i % 20]
    yield case(
        "ragged",
        "target absent in some",
        f"{HEAD}\n" + "\n".join(short) + "\n",
        {k: [v[i] for i in kept] for k, v in RIGHT.items()},
        answers=[ANSWERS[i] for i in kept],
    )
    long = [line if i % 20 else line + ",more" for i, line in enumerate(ROW)]
    yield case(
        "ragged",
        "some too long",
        f"{HEAD}\n" + "\n".join(long) + "\n",
        {k: [v[i] for i in kept] for k, v in RIGHT.items()},
        answers=[ANSWERS[i] for i in kept],
        or_else=(RIGHT,),
    )
    yield case(
        "ragged",
        "bare thousands",
        "x,b,y\n"
        + "\n".join(f"{i % 9 + 1},{100 + i},{b},{y}" for i, (b, y) in enumerate(zip(SMALL, ANSWERS, strict=True)))
        + "\n",
        refused=True,
    )
    yield case(
        "wide",
        "2,000 columns",
        ",".join([*(f"c{j}" for j in range(2000)), "y"])
        + "\n"
        + "\n".join(",".join([*(str((i * j) % 7) for j in range(2000)), ANSWERS[i]]) for i in range(ROWS))
        + "\n",
        {"c3": [float(i * 3 % 7) for i in range(ROWS)]},
    )
    yield case(
        "long",
        "a cell of 200 KB",
        'note,x,b,y\n"'
        + "a" * 200_000
        + f'",{ROW[0]}\n'
        + "\n".join(f"n{i % 3},{line}" for i, line in enumerate(ROW[1:], 1))
        + "\n",
        RIGHT,
    )
    for name, body in (
        ("xml", "<?xml version='1.0'?><rows><row x='1' y='yes'/></rows>"), ("yaml", "- x: 1\n  y: yes\n- x: 2\n  y: no\n"), ("sql dump", "INSERT INTO t VALUES (1,'yes');\nINSERT INTO t VALUES (2,'no');\n"),
        ("logfmt", "x=1 b=2 y=yes\nx=3 b=1 y=no\n"), ("python", "import os\nprint(os.getcwd())\n"), ("empty", ""), ("blanks alone", "  \n \n"), ("header alone", "x,b,y\n"), ("error page", "<html><body>404</body></html>"),
        ("rows as columns", "name," + ",".join(f"r{i}" for i in range(9)) + "\nx,1,2,3,4,5,6,7,8,9\ny,a,b,a,b,a,b,a,b,a\n"),
    ):  # fmt: skip
        yield case("no table", name, body, {}, refused=True)
    yield case(
        "no table",
        "notebook",
        json.dumps({"cells": [{"cell_type": "code", "source": ["1"]}], "nbformat": 4}),
        {},
        file="a.ipynb",
        refused=True,
    )


def layouts() -> list[Case]:
    """Return all."""
    return [*around(), *written()]
