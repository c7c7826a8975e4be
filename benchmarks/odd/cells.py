"""Columns written in odd ways, one per file."""

# ruff: noqa: E501, PLR0915 (a case is read best in one line)

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks.odd.case import ANSWERS, ROWS, Case, U, Value, days, number_of, plain_right, table, text

Write = Callable[[int, float], str]
Read = Callable[[int, float], Value]
DAYS = days()


def case(
    kind: str, name: str, write: Write, *reads: Read, sep: str = ",", dropped: bool = False, column: str = "x"
) -> Case:
    cells = [write(i, v) for i, v in enumerate(U)]
    rights = [plain_right(**{column: [read(i, v) for i, v in enumerate(U)]}) for read in reads]
    body = table(cells, sep).replace("x", column, 1)
    left = (column,) if dropped else ()
    return Case(
        name, kind, text("a.csv", body), rights[0] if rights else plain_right(), tuple(rights[1:]), dropped=left
    )


def european(one: str) -> str:
    return one.translate(str.maketrans(",.", ".,"))


def as_is(write: Write) -> Read:
    return write


def two(v: float, factor: float = 1.0) -> float:
    return round(v * factor, 2)


def styles() -> Iterator[Case]:
    """Signs, groups, decimal marks."""
    yield case(
        "apostrophe ’", "typographic", lambda i, v: f"{v * 90:,.2f}".replace(",", "\u2019"), lambda i, v: two(v, 90)
    )
    yield case(
        "thin space",
        "commas",
        lambda i, v: european(f"{v * 90:,.2f}").replace(".", "\u2009"),
        lambda i, v: two(v, 90),
        sep=";",
    )
    yield case(
        "no-break space", "whole", lambda i, v: f"{int(v * 90):,}".replace(",", "\u00a0"), lambda i, v: int(v * 90)
    )
    yield case(
        "blank groups, point", "point", lambda i, v: f"{v * 90:,.1f}".replace(",", " "), lambda i, v: round(v * 90, 1)
    )
    yield case(
        "indian groups",
        "lakh",
        lambda i, v: f"{int(v) % 90 + 1},{i % 90 + 10},{i % 900 + 100}.50",
        lambda i, v: float(f"{int(v) % 90 + 1}{i % 90 + 10}{i % 900 + 100}.5"),
    )
    yield case("underscore groups", "code style", lambda i, v: f"{int(v * 9000):_}", lambda i, v: int(v * 9000))
    yield case(
        "millions by point",
        "semicolon",
        lambda i, v: f"{int(v * 9000) + 10**6:,}".replace(",", "."),
        lambda i, v: int(v * 9000) + 10**6,
        sep=";",
    )
    yield case(
        "millions by comma", "quoted", lambda i, v: f"{int(v * 9000) + 10**6:,}", lambda i, v: int(v * 9000) + 10**6
    )
    yield case(
        "accounting",
        "dollar outside",
        lambda i, v: f"$({v * 9:,.2f})" if i % 3 else f"${v * 9:,.2f}",
        lambda i, v: two(v, 9) * (-1 if i % 3 else 1),
    )
    yield case(
        "accounting",
        "dollar inside",
        lambda i, v: f"($ {v * 9:,.2f})" if i % 3 else f"$ {v * 9:,.2f}",
        lambda i, v: two(v, 9) * (-1 if i % 3 else 1),
    )
    yield case(
        "accounting",
        "percent in brackets",
        lambda i, v: f"({v / 10:.1f}%)" if i % 2 else f"{v / 10:.1f}%",
        lambda i, v: round(v / 10, 1) * (-1 if i % 2 else 1),
    )
    yield case(
        "euro in front", "commas", lambda i, v: "€ " + european(f"{v * 90:,.2f}"), lambda i, v: two(v, 90), sep=";"
    )
    yield case(
        "franc", "apostrophes", lambda i, v: "CHF " + f"{v * 90:,.2f}".replace(",", "'"), lambda i, v: two(v, 90)
    )
    yield case("code behind", "USD", lambda i, v: f"{v * 90:,.2f} USD", lambda i, v: two(v, 90))
    yield case("code glued", "USD", lambda i, v: f"USD{v * 90:,.2f}", lambda i, v: two(v, 90))
    yield case("real", "R$", lambda i, v: "R$ " + european(f"{v * 90:,.2f}"), lambda i, v: two(v, 90), sep=";")
    yield case(
        "crown",
        "kr",
        lambda i, v: european(f"{v * 90:,.2f}").replace(".", " ") + " kr",
        lambda i, v: two(v, 90),
        sep=";",
    )
    yield case("price dash", "5,-", lambda i, v: f"{int(v)},-", lambda i, v: int(v), sep=";")
    yield case("price dash", "5,– €", lambda i, v: f"{int(v)},– €", lambda i, v: int(v), sep=";")
    yield case(
        "k and M",
        "mixed",
        lambda i, v: f"{v:.1f}k" if i % 2 else f"{v / 100:.1f}M",
        lambda i, v: round(v, 1) * 1e3 if i % 2 else round(v / 100, 1) * 1e6,
    )
    yield case(
        "k and none",
        "mixed",
        lambda i, v: f"{v:.1f}k" if i % 2 else f"{int(v)}",
        lambda i, v: round(v, 1) * 1e3 if i % 2 else int(v),
    )
    yield case(
        "dollar K",
        "mixed",
        lambda i, v: f"${v:.1f}K" if i % 2 else f"${int(v)}",
        lambda i, v: round(v, 1) * 1e3 if i % 2 else int(v),
    )
    yield case(
        "percent", "blank before", lambda i, v: european(f"{v / 10:.1f} %"), lambda i, v: round(v / 10, 1), sep=";"
    )
    yield case(
        "percent and fractions",
        "mixed",
        lambda i, v: f"{v / 10:.1f}%" if i % 2 else f"{v / 1000:.3f}",
        lambda i, v: round(v / 10, 1) if i % 2 else round(v / 10, 3),
    )
    yield case("basis points", "bp", lambda i, v: f"{int(v)}bp", lambda i, v: int(v))
    yield case("unit", "glued kg", lambda i, v: f"{v:.1f}kg", lambda i, v: round(v, 1))
    yield case("unit", "commas kg", lambda i, v: european(f"{v:.1f} kg"), lambda i, v: round(v, 1), sep=";")
    yield case(
        "unit",
        "litres per 100 km",
        lambda i, v: european(f"{v / 50:.1f} l/100km"),
        lambda i, v: round(v / 50, 1),
        sep=";",
    )
    yield case("unit", "µg/m³", lambda i, v: f"{v:.1f} µg/m³", lambda i, v: round(v, 1))
    yield case(
        "two units",
        "g and kg",
        lambda i, v: f"{int(v)} g" if i % 2 else f"{v / 100:.2f} kg",
        lambda i, v: int(v) if i % 2 else two(v, 0.01) * 1000,
    )
    yield case(
        "two units",
        "few in kg",
        lambda i, v: f"{int(v)} g" if i % 20 else f"{v / 100:.2f} kg",
        lambda i, v: int(v) if i % 20 else two(v, 0.01) * 1000,
    )
    yield case("degrees", "C", lambda i, v: f"{v / 30 - 9:.1f}°C", lambda i, v: round(v / 30 - 9, 1))
    yield case(
        "feet and inches",
        "5'11\"",
        lambda i, v: f"{i % 3 + 4}'{i % 12}\"",
        lambda i, v: (i % 3 + 4) * 12 + i % 12,
        lambda i, v: f"{i % 3 + 4}'{i % 12}\"",
    )
    yield case(
        "feet and inches",
        "5 ft 11 in",
        lambda i, v: f"{i % 3 + 4} ft {i % 12} in",
        lambda i, v: (i % 3 + 4) * 12 + i % 12,
        lambda i, v: f"{i % 3 + 4} ft {i % 12} in",
    )
    yield case("about", "~", lambda i, v: f"~{int(v)}" if i % 10 == 3 else f"{int(v)}", lambda i, v: int(v))
    yield case(
        "limits",
        "<0.5 and >900",
        lambda i, v: "<0.5" if i % 9 == 0 else (">900" if v > 900 else f"{v:.1f}"),
        lambda i, v: None if i % 9 == 0 or v > 900 else round(v, 1),
    )
    yield case("plus or minus", "±", lambda i, v: f"{v:.1f} ± {i % 9 / 10:.1f}", lambda i, v: round(v, 1))
    yield case(
        "with interval", "1.2 (0.9-1.5)", lambda i, v: f"{v:.1f} ({v - 1:.1f}-{v + 1:.1f})", lambda i, v: round(v, 1)
    )
    yield case("exponent", "E+05", lambda i, v: f"{v * 1e5:.3E}", lambda i, v: float(f"{v * 1e5:.3E}"))
    yield case(
        "exponent", "comma e", lambda i, v: european(f"{v * 1e-5:.3e}"), lambda i, v: float(f"{v * 1e-5:.3e}"), sep=";"
    )
    yield case(
        "exponent", "x10^", lambda i, v: f"{v / 100:.1f}x10^{i % 4}", lambda i, v: float(f"{v / 100:.1f}e{i % 4}")
    )
    yield case("exponent", "Fortran D", lambda i, v: f"{v:.3E}".replace("E", "D"), lambda i, v: float(f"{v:.3E}"))
    yield case("hex", "0x", lambda i, v: f"0x{i % 30:02X}", lambda i, v: i % 30, lambda i, v: f"0x{i % 30:02X}")
    yield case(
        "fraction",
        "3/4",
        lambda i, v: f"{i % 5 + 1}/{i % 4 + 2}",
        lambda i, v: (i % 5 + 1) / (i % 4 + 2),
        lambda i, v: f"{i % 5 + 1}/{i % 4 + 2}",
    )
    yield case(
        "fraction",
        "1 1/2",
        lambda i, v: f"{i % 5 + 1} {i % 3 + 1}/4",
        lambda i, v: i % 5 + 1 + (i % 3 + 1) / 4,
        lambda i, v: f"{i % 5 + 1} {i % 3 + 1}/4",
    )
    yield case(
        "minus apart",
        "- 5",
        lambda i, v: f"- {int(v)}" if i % 2 else f"{int(v)}",
        lambda i, v: -int(v) if i % 2 else int(v),
    )
    yield case(
        "full width",
        "digits",
        lambda i, v: f"{int(v)}".translate({48 + k: 0xFF10 + k for k in range(10)}),
        lambda i, v: int(v),
    )
    yield case(
        "arabic digits",
        "digits",
        lambda i, v: f"{int(v)}".translate({48 + k: 0x660 + k for k in range(10)}),
        lambda i, v: int(v),
    )
    yield case(
        "both decimal signs",
        "half",
        lambda i, v: f"{v:.1f}" if i % 2 else european(f"{v:.1f}"),
        lambda i, v: round(v, 1),
        sep=";",
    )
    yield case(
        "both decimal signs",
        "one in twenty",
        lambda i, v: european(f"{v:.1f}") if i % 20 else f"{v:.1f}",
        lambda i, v: round(v, 1),
        sep=";",
    )
    yield case(
        "footnotes",
        "[1]",
        lambda i, v: f"{int(v * 9):,}[{i % 3 + 1}]" if i % 4 == 0 else f"{int(v * 9):,}",
        lambda i, v: int(v * 9),
    )
    yield case("excel text", '="00123"', lambda i, v: f'="{i % 40:05d}"', lambda i, v: f"{i % 40:05d}")
    yield case(
        "excel text",
        "apostrophe in front",
        lambda i, v: f"'{i % 40:05d}",
        lambda i, v: f"{i % 40:05d}",
        lambda i, v: f"'{i % 40:05d}",
    )
    yield case(
        "pandas counts",
        "12.0",
        lambda i, v: "" if i % 9 == 0 else f"{i % 30}.0",
        lambda i, v: None if i % 9 == 0 else i % 30,
    )


def missing() -> Iterator[Case]:
    """Words for "missing", sentinels."""
    for word in ("—", "n.d.", "n/d", "k. A.", "keine Angabe", "#REF!", "Not available", "..", "(null)", "\\N", "999"):
        yield case(
            "missing word",
            word,
            lambda i, v, w=word: w if i % 7 == 0 else f"{v / 10:.1f}",
            lambda i, v: None if i % 7 == 0 else round(v / 10, 1),
        )  # type: ignore[misc]
    yield case(
        "missing word",
        "-1 for none",
        lambda i, v: "-1" if i % 7 == 0 else f"{int(v) + 50}",
        lambda i, v: None if i % 7 == 0 else int(v) + 50,
        lambda i, v: -1 if i % 7 == 0 else int(v) + 50,
    )
    yield case(
        "country codes",
        "NO and NA",
        lambda i, v: ("NO", "NA", "SE", "DE")[i % 4],
        lambda i, v: ("NO", "NA", "SE", "DE")[i % 4],
    )
    yield case(
        "month names", "Jan, Nan?", lambda i, v: ("Jan", "Feb", "Mar")[i % 3], lambda i, v: ("Jan", "Feb", "Mar")[i % 3]
    )


def names() -> Iterator[Case]:
    """Codes, words, truth values."""
    words: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("german truth", ("Wahr", "Falsch")), ("french truth", ("oui", "non")), ("spanish truth", ("sí", "no")),
        ("russian truth", ("да", "нет")), ("T and F", ("T", "F")), ("on and off", ("on", "off")),
        ("grades", ("A+", "A-", "B+", "A")), ("sizes", ("S", "M", "L", "XL")), ("roman numbers", ("I", "II", "III", "IV")),
        ("hex colours", ("#ff0000", "#00ff00", "#0000ff")), ("hashes like exponents", ("1e5", "3e10", "12e4", "4f5", "ab1")),
        ("blood pressure", ("120/80", "130/85", "110/70")), ("address", ("10.0.0.1", "10.0.0.2", "192.168.1.1")),
        ("ordinals", ("1st", "2nd", "3rd")), ("scores", ("2:1", "0:0", "3:2")), ("ratios", ("1:10", "1:25", "1:50")),
        ("versions", ("1.2.3", "1.10.0", "2.0.1")), ("two part versions", ("3.9", "3.10", "3.11")),
        ("age groups", ("10-19", "20-29", "30-39")), ("open groups", ("<18", "18-65", ">65")),
        ("income groups", ("0-1,000", "1,000-5,000", "5,000+")), ("icd codes", ("E11.9", "I10", "J45.0")),
        ("stars", ("4/5", "3/5", "5/5")), ("three of five", ("3 of 5", "4 of 5", "1 of 5")), ("emoji", ("😀", "😢", "😡")),
        ("stages", ("Stage 1", "Stage 2", "Stage 3")), ("genes like dates", ("MAR1", "SEP2", "DEC1")), ("quarters alone", ("Q1", "Q2", "Q3", "Q4")),
        ("weekdays", ("Mon", "Tue", "Wed")), ("plates", ("B-AB 123", "M-XY 99", "HH-C 7")),
        ("phones", ("+49 30 1234567", "+49 89 7654321", "+43 1 555555")), ("post codes", ("01067", "10115", "80331")),
        ("us zip plus four", ("12345-6789", "02134-0001", "90210-1234")), ("uk post codes", ("SW1A 1AA", "EC1A 1BB", "M1 1AE")),
        ("coordinates in one", ("52.52, 13.40", "48.14, 11.58", "53.55, 9.99")), ("json in a cell", ('{"a": 1}', '{"a": 2}')),
        ("long keys", ("9007199254740993", "9007199254740995", "9007199254740997")), ("dates as ranges", ("2023-01-01/2023-01-31", "2023-02-01/2023-02-28")),
    )  # fmt: skip
    for name, found in words:
        yield case(
            "words",
            name,
            lambda i, v, f=found: f[(i * 5 + i // 7) % len(f)],
            lambda i, v, f=found: f[(i * 5 + i // 7) % len(f)],
        )  # type: ignore[misc]
    yield case(
        "degrees of the compass",
        "N and S",
        lambda i, v: f"{v / 12:.2f}{'NS'[i % 2]}",
        lambda i, v: two(v, 1 / 12) * (-1 if i % 2 else 1),
    )
    yield case("uuid", "each once", lambda i, v: f"{i:08x}-0000-4000-8000-{int(v * 1e6):012x}", dropped=True)
    for name, found in (
        ("red;blue", "red;blue|red|green;red|blue"), ("red, blue", "red, blue|red|green, red|blue"),
        ("a/b", "drama/comedy|drama|action/drama|comedy"), ("json list", '["red", "blue"]|["red"]|["green", "red"]|["blue"]'),
        ("python list", "['red', 'blue']|['red']|['green', 'red']|['blue']"), ("braces", "{red,blue}|{red}|{green,red}|{blue}"),
        ("numbers", "1,2|2|2,3,5|1,5"),
    ):  # fmt: skip
        cells = found.split("|")
        drawn = [cells[(i * 3 + i // 5) % len(cells)] for i in range(ROWS)]
        sets = [{word for word in re.split(r"[^\w]+", cell) if word} for cell in drawn]
        yield replace(case("several values in a cell", name, lambda i, v, c=drawn: c[i]), sets={"x": sets})  # type: ignore[misc]


def moments() -> Iterator[Case]:
    """Dates, times, durations."""

    def on(kind: str, name: str, form: Callable[[dt.date], str], sep: str = ",", column: str = "x") -> Case:
        return case(kind, name, lambda i, v: form(DAYS[i]), lambda i, v: number_of(DAYS[i]), sep=sep, column=column)

    german = [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ]
    french = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ]
    spanish = [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ]
    dutch = [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ]
    yield on("german months", "4. Januar 2023", lambda d: f"{d.day}. {german[d.month - 1]} {d.year}")
    yield on("german months", "4. Jan. 23", lambda d: f"{d.day:02d}. {german[d.month - 1][:3]}. {d.year}")
    yield on(
        "french months", "1er mars", lambda d: f"{d.day}{'er' if d.day == 1 else ''} {french[d.month - 1]} {d.year}"
    )
    yield on("spanish months", "4 de enero de 2023", lambda d: f"{d.day} de {spanish[d.month - 1]} de {d.year}")
    yield on("dutch months", "4 maart 2023", lambda d: f"{d.day} {dutch[d.month - 1]} {d.year}")
    yield on(
        "english months",
        "January 2nd, 2023",
        lambda d: (
            f"{d:%B} {d.day}{'th' if 10 < d.day < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(d.day % 10, 'th')}, {d.year}"
        ),
    )
    yield on("english months", "Monday, January 2, 2023", lambda d: f"{d:%A}, {d:%B} {d.day}, {d.year}")
    yield on("english months", "02JAN2023", lambda d: f"{d:%d%b%Y}".upper())
    yield on("english months", "2023-Jan-02", lambda d: f"{d:%Y-%b-%d}")
    yield on("english months", "Jan-02-2023", lambda d: f"{d:%b-%d-%Y}")
    yield on("short days", "2.1.2023", lambda d: f"{d.day}.{d.month}.{d.year}", ";")
    yield on("short days", "2.1.23", lambda d: f"{d.day}.{d.month}.{d.year % 100:02d}", ";")
    yield on("short days", "1/2/23", lambda d: f"{d.month}/{d.day}/{d.year % 100:02d}")
    yield on(
        "days with weekday",
        "Mo, 02.01.2023",
        lambda d: f"{['Mo', 'Di', 'Mi', 'Do', 'Fr', 'Sa', 'So'][d.weekday()]}, {d:%d.%m.%Y}",
    )
    yield on("dense days", "20230102", lambda d: f"{d:%Y%m%d}")
    yield on("dense days", "02012023", lambda d: f"{d:%d%m%Y}")
    yield on("excel serial", "date", lambda d: f"{number_of(d) + 25569}", column="date")
    yield on("excel serial", "order date", lambda d: f"{number_of(d) + 25569}", column="order_date")
    yield on("epoch", "seconds in text", lambda d: f"{number_of(d) * 86400}", column="timestamp")
    yield on("epoch", "milliseconds", lambda d: f"{number_of(d) * 86_400_000}", column="created_at")
    yield on("epoch", "microseconds", lambda d: f"{number_of(d) * 86_400_000_000}", column="timestamp")
    yield on("epoch", "nanoseconds", lambda d: f"{number_of(d) * 86_400_000_000_000}", column="timestamp")
    yield on("epoch", "seconds with fraction", lambda d: f"{number_of(d) * 86400}.0", column="timestamp")
    yield on("iso week day", "2023-W05-3", lambda d: "{}-W{:02d}-{}".format(*d.isocalendar()))
    yield case(
        "iso week",
        "2023-W05",
        lambda i, v: "{}-W{:02d}".format(*DAYS[i].isocalendar()[:2]),
        lambda i, v: number_of(DAYS[i] - dt.timedelta(days=DAYS[i].weekday())),
        lambda i, v: "{}-W{:02d}".format(*DAYS[i].isocalendar()[:2]),
    )
    yield on("ordinal day", "2023-045", lambda d: f"{d:%Y-%j}")
    yield case("month", "Jan 2023", lambda i, v: f"{DAYS[i]:%b %Y}", lambda i, v: number_of(DAYS[i].replace(day=1)))
    yield case("month", "Jan-23", lambda i, v: f"{DAYS[i]:%b-%y}", lambda i, v: number_of(DAYS[i].replace(day=1)))
    yield case(
        "month",
        "2023M01",
        lambda i, v: f"{DAYS[i].year}M{DAYS[i].month:02d}",
        lambda i, v: number_of(DAYS[i].replace(day=1)),
        lambda i, v: f"{DAYS[i].year}M{DAYS[i].month:02d}",
    )
    yield case(
        "quarter",
        "Q1 2023",
        lambda i, v: f"Q{(DAYS[i].month + 2) // 3} {DAYS[i].year}",
        lambda i, v: number_of(DAYS[i].replace(day=1, month=(DAYS[i].month - 1) // 3 * 3 + 1)),
    )
    yield case(
        "quarter",
        "1Q23",
        lambda i, v: f"{(DAYS[i].month + 2) // 3}Q{DAYS[i].year % 100}",
        lambda i, v: number_of(DAYS[i].replace(day=1, month=(DAYS[i].month - 1) // 3 * 3 + 1)),
        lambda i, v: f"{(DAYS[i].month + 2) // 3}Q{DAYS[i].year % 100}",
    )
    yield case("years", "plain", lambda i, v: f"{1990 + i % 30}", lambda i, v: 1990 + i % 30)
    yield case(
        "years", "seasons", lambda i, v: f"{2010 + i % 9}/{11 + i % 9}", lambda i, v: f"{2010 + i % 9}/{11 + i % 9}"
    )

    def at(i: int) -> dt.datetime:
        return dt.datetime.combine(DAYS[i], dt.time(i % 24, i * 7 % 60, i * 11 % 60))

    def moment(kind: str, name: str, form: Callable[[dt.datetime], str], whole: int = 1, hours: float = 0.0) -> Case:
        def value(i: int, v: float) -> float:
            one = at(i)
            seconds = one.hour * 3600 + one.minute * 60 + (one.second if whole == 1 else 0)
            return number_of(one.date()) + seconds / 86400 - hours / 24

        return case(kind, name, lambda i, v: form(at(i)), value)

    yield moment("clock of 12 hours", "01/02/2023 03:05:10 PM", lambda t: f"{t:%m/%d/%Y %I:%M:%S %p}")
    yield moment(
        "clock of 12 hours",
        "2023-01-02 3:05pm",
        lambda t: f"{t:%Y-%m-%d} {t.hour % 12 or 12}:{t:%M}{'pm' if t.hour > 11 else 'am'}",
        0,
    )
    yield moment("zone", "Z", lambda t: f"{t:%Y-%m-%dT%H:%M:%S}Z")
    yield moment("zone", "offset without colon", lambda t: f"{t:%Y-%m-%d %H:%M:%S}+0200", hours=2)
    yield moment("zone", "named", lambda t: f"{t:%Y-%m-%d %H:%M:%S} EST", hours=-5)
    yield moment("zone", "bracket", lambda t: f"{t:%Y-%m-%dT%H:%M:%S}+01:00[Europe/Berlin]", hours=1)
    yield moment("fractions", "comma", lambda t: f"{t:%Y-%m-%d %H:%M:%S},000")
    yield moment("fractions", "nanoseconds", lambda t: f"{t:%Y-%m-%d %H:%M:%S}.000000000")
    yield moment("logs", "apache", lambda t: f"[{t:%d/%b/%Y:%H:%M:%S} +0000]")
    yield moment("logs", "ctime", lambda t: f"{t:%a %b %d %H:%M:%S %Y}")
    yield moment("logs", "mail", lambda t: f"{t:%a, %d %b %Y %H:%M:%S} +0200", hours=2)
    yield moment("logs", "sas", lambda t: f"{t:%d%b%Y:%H:%M:%S}".upper())
    yield moment("logs", "dense", lambda t: f"{t:%Y%m%dT%H%M%S}Z")
    yield moment("logs", "dense number", lambda t: f"{t:%Y%m%d%H%M%S}")
    yield moment("german moment", "02.01.2023, 15:04 Uhr", lambda t: f"{t:%d.%m.%Y, %H:%M} Uhr", 0)
    yield moment("slashes", "2023/01/02 15:04", lambda t: f"{t:%Y/%m/%d %H:%M}", 0)
    yield moment("excel moment", "1/2/2023 15:04", lambda t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t:%M}", 0)

    def hours(i: int) -> float:
        return (i % 4) + (i * 7 % 60) / 60

    yield case("duration", "1h 30m", lambda i, v: f"{i % 4}h {i * 7 % 60}m", lambda i, v: hours(i))
    yield case("duration", "PT1H30M", lambda i, v: f"PT{i % 4}H{i * 7 % 60}M", lambda i, v: hours(i))
    yield case("duration", "90 min", lambda i, v: f"{i * 7} min", lambda i, v: i * 7)
    yield case(
        "duration",
        "2 days 03:04:05",
        lambda i, v: f"{i % 5} days {i % 24:02d}:{i * 7 % 60:02d}:00",
        lambda i, v: i % 5 * 24 + i % 24 + (i * 7 % 60) / 60,
    )
    yield case(
        "duration",
        "1:02:03",
        lambda i, v: f"{i % 9}:{i * 7 % 60:02d}:30",
        lambda i, v: i % 9 + (i * 7 % 60) / 60 + 30 / 3600,
    )
    yield case("time", "15h04", lambda i, v: f"{i % 24}h{i * 7 % 60:02d}", lambda i, v: i % 24 + (i * 7 % 60) / 60)
    yield case(
        "time",
        "3 PM",
        lambda i, v: f"{i % 12 or 12} {'PM' if i % 2 else 'AM'}",
        lambda i, v: i % 12 + (12 if i % 2 else 0),
    )
    yield case(
        "time",
        "1504",
        lambda i, v: f"{i % 24:02d}{i * 7 % 60:02d}",
        lambda i, v: f"{i % 24:02d}{i * 7 % 60:02d}",
        lambda i, v: i % 24 * 100 + i * 7 % 60,
        lambda i, v: i % 24 + (i * 7 % 60) / 60,
    )
    yield case(
        "old dates",
        "before 1900",
        lambda i, v: f"{(DAYS[i] - dt.timedelta(days=50_000)).isoformat()}",
        lambda i, v: number_of(DAYS[i]) - 50_000,
    )
    yield case(
        "dates and words",
        "unknown",
        lambda i, v: "unknown" if i % 9 == 0 else DAYS[i].isoformat(),
        lambda i, v: None if i % 9 == 0 else number_of(DAYS[i]),
    )
    yield case(
        "dates and years",
        "some years alone",
        lambda i, v: f"{DAYS[i].year}" if i % 9 == 0 else DAYS[i].isoformat(),
        lambda i, v: None if i % 9 == 0 else number_of(DAYS[i]),
    )


def cells() -> list[Case]:
    """Return all."""
    assert len(ANSWERS) == ROWS
    assert math.isfinite(sum(U))
    return [*styles(), *missing(), *names(), *moments()]
