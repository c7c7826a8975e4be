"""Files as people have them: each row stands for a kind of file and for the values that are right."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from temperance.data import read
from temperance.data.choices import choose
from temperance.records.errors import DataError

ROWS = 120
RNG = np.random.default_rng(7)
YES = [str(v) for v in RNG.choice(["yes", "no"], ROWS)]


def text(columns: dict[str, list[Any]], sep: str = ",", head: str = "") -> str:
    quoted = {k: [f'"{v}"' if sep in str(v) else str(v) for v in values] for k, values in columns.items()}
    lines = [sep.join(quoted), *(sep.join(row) for row in zip(*quoted.values(), strict=True))]
    return head + "\n".join(lines) + "\n"


def column(path: Path, x: list[Any], sep: str = ",", **options: Any) -> tuple[Any, Any]:
    """Read a file with the columns x, b and y; return the reading and the first column that x gives, or None."""
    file = path / "a.csv"
    b = [str(v) for v in RNG.integers(0, 7, len(x))]
    file.write_text(text({"x": x, "b": b, "y": (YES * 2)[: len(x)]}, sep), encoding="utf-8")
    reading = read(file, target="y", **options)
    schema = reading.table.schema
    for j, one in enumerate(schema.numeric):
        if one.source == "x":
            return reading, reading.table.rows.numeric[:, j]
    for j, one in enumerate(schema.categorical):
        if one.source == "x":
            words = np.array([*one.vocabulary, "(unseen)", ""], dtype=object)
            return reading, words[reading.table.rows.categorical[:, j]]
    return reading, None


def told(reading: Any, *words: str) -> bool:
    return any(all(word in note for word in words) for note in reading.notes)


VALUES = np.round(RNG.uniform(1.001, 9.9, ROWS), 3) + 0.0
FINE = [f"{v:.3f}" for v in VALUES]


def test_three_digits_after_a_comma_are_decimals_where_the_fields_are_cut_by_semicolons(tmp_path: Path) -> None:
    reading, x = column(tmp_path, [v.replace(".", ",") for v in FINE], ";")
    np.testing.assert_allclose(x, VALUES)
    assert told(reading, "can be", "(decimal)", "(thousands)", "--column 'x=number,decimal=.")


def test_where_nothing_decides_both_readings_are_said_and_the_user_decides(tmp_path: Path) -> None:
    cells = [v.replace(".", ",") for v in FINE]
    reading, x = column(tmp_path, cells)
    np.testing.assert_allclose(x, VALUES * 1000)
    assert told(reading, "(decimal)", "(thousands) was taken", "--column 'x=number,decimal=,'")
    _, x = column(tmp_path, cells, choices=choose(["x=number,decimal=,"]))
    np.testing.assert_allclose(x, VALUES)


def test_an_ambiguous_column_takes_the_style_of_the_others(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text({"x": [v.replace(".", ",") for v in FINE], "b": ["3,5", "1,25"] * 60, "y": YES}, "\t"))
    reading = read(file, target="y")
    np.testing.assert_allclose(reading.table.rows.numeric[:, 0], VALUES)
    assert told(reading, "'x'", "as in the other columns")


def test_thousands_by_point(tmp_path: Path) -> None:
    whole = RNG.integers(100, 99_999, ROWS)
    reading, x = column(tmp_path, [f"{v:,}".replace(",", ".") for v in whole], ";")
    np.testing.assert_array_equal(x, whole)
    assert told(reading, "(thousands) was taken")


def test_an_exponent_with_a_decimal_comma(tmp_path: Path) -> None:
    _, x = column(tmp_path, [f"{v / 10:.3e}".replace(".", ",") for v in VALUES], ";")
    np.testing.assert_allclose(x, VALUES / 10, rtol=1e-3)


def test_several_answers_in_a_cell_are_never_a_number(tmp_path: Path) -> None:
    reading, x = column(tmp_path, (["1,2", "2,3,5", "4", "1,5"] * ROWS)[:ROWS])
    assert set(x) == {"1,2", "2,3,5", "4", "1,5"}
    assert told(reading, "several values in a cell")


@pytest.mark.parametrize("form", ["{:.2f}", "{:.1f}", "{:,.2f}"])
def test_a_target_with_decimal_commas(tmp_path: Path, form: str) -> None:
    values = RNG.uniform(2, 4000, ROWS).round(1)
    words = [form.format(v).translate(str.maketrans(".,", ",.")) for v in values]
    file = tmp_path / "a.csv"
    file.write_text(text({"x": FINE, "y": words}, ";"))
    reading = read(file, target="y")
    np.testing.assert_allclose(reading.table.target, values)
    assert reading.table.schema.target.format[0] == ","


@pytest.mark.parametrize("odd", ["ca. 2,5", "1,5-2,5", "<0,5", "2,5 kg", "12.34"])
def test_one_odd_cell_does_not_flip_a_column(tmp_path: Path, odd: str) -> None:
    values = RNG.uniform(1, 50, ROWS).round(1)
    cells = [f"{v:.1f}".replace(".", ",") for v in values]
    reading, x = column(tmp_path, [*cells[:-1], odd])
    np.testing.assert_allclose(x[:-1], values[:-1])
    assert math.isnan(x[-1])
    assert told(reading, odd)


@pytest.mark.parametrize("start", [10**17, 2**64 - 5000, 2**53])
def test_long_whole_numbers_stay_exact(tmp_path: Path, start: int) -> None:
    reading, x = column(tmp_path, [start + 1 + 3 * (i % 40) for i in range(ROWS)])
    assert set(x) == {str(start + 1 + 3 * i) for i in range(40)}
    assert told(reading, "2^53")


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["12 345", "999"], 12345.0),
        (["12\u00a0345", "999"], 12345.0),
        (["12'345", "999"], 12345.0),
        (["(100.5)", "3.5"], -100.5),
        (["100.5-", "3.5"], -100.5),
        (["\u2212100.5", "3.5"], -100.5),
        (["-$100.50", "$3.5"], -100.5),
        (["EUR 10.50", "EUR 3.5"], 10.5),
        (["109 kg", "30 kg"], 109.0),
        (["\u200b12", "3"], 12.0),
        (["5 %", "7 %"], 5.0),
        (["1,23,456", "2,00,000"], 123456.0),
    ],
)
def test_numbers_as_people_write_them(tmp_path: Path, cells: list[str], first: float) -> None:
    reading, x = column(tmp_path, cells * 60)
    assert x[0] == first
    unit = reading.table.schema.numeric[0].unit
    assert not unit or told(reading, repr(unit))


def test_two_units_in_one_column_are_told(tmp_path: Path) -> None:
    reading, x = column(tmp_path, ["109 kg", "240 lb", "80 kg", "170 lb"] * 30)
    assert "109 kg" in set(x)
    assert told(reading, "2 units", "'kg'", "'lb'")


@pytest.mark.parametrize(("cells", "hours"), [(["13:45", "08:30"], 13.75), (["1:02:33", "0:59:10"], 1 + 153 / 3600)])
def test_times_of_day_and_durations(tmp_path: Path, cells: list[str], hours: float) -> None:
    reading, x = column(tmp_path, cells * 60)
    assert x[0] == pytest.approx(hours)
    assert [c.part for c in reading.table.schema.numeric if c.source == "x"] == ["hours", "sin", "cos"]
    assert told(reading, "'x'", "time")


@pytest.mark.parametrize(
    ("cells", "day"),
    [
        (["2023-03-01 02:00:00 UTC", "2023-04-01 03:00:00 UTC"], 19417 + 2 / 24),
        (["1 March 2023", "12 May 2023"], 19417.0),
        (["1. März 2023", "12. Mai 2023"], 19417.0),
        (["2023-03", "2023-04"], 19417.0),
        (["2023Q2", "2023Q3"], 19448.0),
        (["20230301", "20230402"], 19417.0),
        (["1677628800", "1677832000"], 19417.0),
        (["01.03.2023", "13.03.2023"], 19417.0),
        (["Wed, 01 Mar 2023", "Thu, 02 Mar 2023"], 19417.0),
    ],
)
def test_dates(tmp_path: Path, cells: list[str], day: float) -> None:
    reading, x = column(tmp_path, cells * 60)
    assert x[0] == pytest.approx(day)
    assert told(reading, "'x' is a date")


def test_of_two_orders_of_day_and_month_the_one_with_the_fewest_misfits_is_taken(tmp_path: Path) -> None:
    cells = [f"{m:02d}/{d:02d}/2023" for m in range(1, 13) for d in range(3, 13)]
    reading, x = column(tmp_path, [*cells[:-2], "05/25/2023", "bad"])
    assert x[-2] == 19502.0
    assert x[0] == 19360.0  # 3 January
    assert told(reading, "'bad'")
    reading, x = column(tmp_path, cells)
    assert told(reading, "%d/%m/%Y", "%m/%d/%Y", "pattern=%m/%d/%Y")
    _, x = column(tmp_path, cells, choices=choose(["x=date,pattern=%m/%d/%Y"]))
    assert x[0] == 19360.0


def test_days_that_stand_for_none(tmp_path: Path) -> None:
    reading, x = column(tmp_path, ["2023-03-01", "9999-12-31", "2023-04-01", "0000-00-00"] * 30)
    assert np.isnan(x[1::2]).all()
    assert x[0] == 19417.0
    assert told(reading, "stand for none")


def test_each_whole_number_once_is_kept_where_it_is_not_the_order_of_the_file(tmp_path: Path) -> None:
    reading, x = column(tmp_path, [int(v) for v in RNG.permutation(ROWS) + 1])
    assert x is not None
    assert told(reading, "once", "--drop 'x'")


def target(path: Path, y: list[Any], **options: Any) -> Any:
    file = path / "a.csv"
    file.write_text(text({"x": (FINE * 2)[: len(y)], "y": y}))
    return read(file, target="y", **options)


def test_spellings_of_one_class_are_one(tmp_path: Path) -> None:
    reading = target(tmp_path, ["yes", "Yes", "no", "No"] * 30)
    assert len(reading.table.schema.target.classes) == 2
    assert told(reading, "'Yes'/'yes'", "case=exact")
    apart = target(tmp_path, ["yes", "Yes", "no", "No"] * 30, choices=choose(["y=category,case=exact"]))
    assert len(apart.table.schema.target.classes) == 4


def test_a_class_that_looks_like_missing_is_asked_about(tmp_path: Path) -> None:
    reading = target(tmp_path, ["NA", "EU", "AS"] * 40)
    assert told(reading, "'NA' (40 cells)", "na=")
    assert target(tmp_path, ["NA", "EU", "AS"] * 40, choices=choose(na_values="?")).table.schema.target.classes == (
        "AS", "EU", "NA",
    )  # fmt: skip


def test_odd_targets_are_told(tmp_path: Path) -> None:
    counts = [int(v) for v in RNG.poisson(4, ROWS)]
    reading = target(tmp_path, [-999 if i % 20 == 0 else v for i, v in enumerate(counts)])
    assert told(reading, "-999", "na=-999")
    reading = target(
        tmp_path, [-999 if i % 20 == 0 else v for i, v in enumerate(counts)], choices=choose(["y=number,na=-999"])
    )
    assert reading.table.target.min() >= 0
    assert len(reading.table) == ROWS - 6
    assert told(target(tmp_path, counts), "count", "--task regression")
    with pytest.raises(DataError, match="dates"):
        target(tmp_path, [f"2023-01-{1 + i % 28:02d}" for i in range(ROWS)])
    total = text({"x": [*FINE, "Summe"], "y": [*YES, "70"]})
    (tmp_path / "t.csv").write_text(total)
    reading = read(tmp_path / "t.csv", target="y")
    assert len(reading.table) == ROWS
    assert told(reading, "'Summe'")


def test_labels_stay_as_they_are_written(tmp_path: Path) -> None:
    assert target(tmp_path, ["001", "002"] * 60).table.schema.target.classes == ("001", "002")


def test_names_that_look_like_missing_are_told(tmp_path: Path) -> None:
    reading, _ = column(tmp_path, ["Null", "Smith", "Jones", "Smith", "None", "NaN"] * 20)
    assert told(reading, "'x'", "'NaN', 'Null'", "is read as missing")


def test_spellings_of_one_category_are_one(tmp_path: Path) -> None:
    reading, x = column(tmp_path, ["Paris", "PARIS", "paris", "Paris", "caf\u00e9", "cafe\u0301"] * 20)
    assert set(x) == {"Paris", x[4]}
    assert told(reading, "count as one category")


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ([*(str(v) for v in range(1000, 1000 + ROWS - 1)), "0123"], "'0123'"),
        ((["1E5", "3E10", "2E7"] * ROWS)[:ROWS], "'1E5'"),
        ((["1.10", "1.9", "1.1"] * ROWS)[:ROWS], "'1.10'"),
    ],
)
def test_codes_are_categories_or_told(tmp_path: Path, cells: list[str], word: str) -> None:
    reading, x = column(tmp_path, cells)
    assert told(reading, word)
    _, x = column(tmp_path, cells[:60] * 2, choices=choose(["x=category"]))
    assert cells[0] in set(x)


PLAIN = text({"x": FINE, "b": [f"t {i % 5}" for i in range(ROWS)], "y": YES})


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("sep=;\n" + PLAIN.replace(",", ";"), "';'"),
        ("Sales of 2023\n\n" + PLAIN, "'Sales of 2023'"),
        ("# made by a machine, on a day, at noon, with care\n# more\n" + PLAIN, "2 lines above"),
        (PLAIN + "1.5\n1.25,t 1,yes,9\n", f"number {ROWS + 3}"),
        (PLAIN.replace(",t ", ', "t ').replace(",yes", '",yes').replace(",no", '",no'), ""),
        (PLAIN.replace(",t ", ",'t ").replace(",yes", "',yes").replace(",no", "',no"), ""),
        (PLAIN.replace("t 1", '5" t 1'), ""),
        (PLAIN.replace(",", "::"), "'::'"),
        (PLAIN.replace(",", "|"), "'|'"),
        (PLAIN.replace("t ", "t").replace(",", "   "), "blanks"),
        (PLAIN.replace("t ", "t").replace(",", " "), "blanks"),
        (PLAIN.replace("\n", "\r\n"), ""),
        (PLAIN.replace("\n", ",\n"), ""),
        (PLAIN.replace("x,b,y\n", "x,b,y\nm/s,-,-\n"), "units"),
        (PLAIN.replace("x,b,y\n", "#x,b,y\n"), ""),
        (PLAIN.replace(",", "^"), "'^'"),  # these first bytes are those of a zlib file, too
        (",,\nReport,,\n" + PLAIN, "'Report,,'"),
        (PLAIN + PLAIN.replace(PLAIN[6:], ""), "repeats the header"),
        (PLAIN.replace("x,b,y\n", "x,b,y\nspeed,kind,answer\nm/s,-,-\n"), "'speed'"),
        (PLAIN + "Source: an office\n", f"number {ROWS + 2}"),
    ],
)
def test_unusual_files_are_read(tmp_path: Path, content: str, word: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(content, newline="")
    reading = read(file, target="y")
    assert reading.table.schema.target.classes == ("no", "yes")
    np.testing.assert_allclose(reading.table.rows.numeric[:ROWS, 0], VALUES)
    assert len(reading.table.schema.categorical[0].vocabulary) == 5
    assert told(reading, word)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("<!DOCTYPE html>\n<html><body>a,b</body></html>", "web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "Git LFS"),
        ("%PDF-1.7\n1,2\n", "PDF"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, content: str, what: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=what):
        read(tmp_path / "a.csv", target="y")


def test_thousands_with_one_odd_cell_stay_thousands(tmp_path: Path) -> None:
    whole = RNG.integers(1000, 9999, ROWS)
    reading, x = column(tmp_path, [*(f"{v:,}" for v in whole[:-1]), "12,34"])
    np.testing.assert_array_equal(x[:-1], whole[:-1])
    assert math.isnan(x[-1])
    assert told(reading, "'12,34'")


@pytest.mark.parametrize("cells", [["2023-01", "2023-02"], ["2023Q1", "2023Q2"], ["12:30", "13:45"], ["1,5", "2,5"]])
def test_time_columns(tmp_path: Path, cells: list[str]) -> None:
    reading, _ = column(tmp_path, cells * 60, time="x")
    assert reading.table.time is not None
    assert reading.table.time[0] < reading.table.time[1]


def test_a_few_clear_cells_among_ambiguous_ones_are_told(tmp_path: Path) -> None:
    reading, x = column(tmp_path, [*["1,234"] * 111, *["12,5"] * 9])
    assert x[0] == 1.234
    assert told(reading, "1234 (thousands)", "as a few cells say")


def test_cells_without_the_unit_of_the_others_are_told(tmp_path: Path) -> None:
    reading, _ = column(tmp_path, ["5 %", "7 %", "0.05", "9 %"] * 30)
    assert told(reading, "30 cells stand without the unit '%'")


def test_two_digit_years_first_or_last_are_told(tmp_path: Path) -> None:
    reading, x = column(tmp_path, [f"{20 + i % 5}-0{1 + i % 9}-1{i % 9}" for i in range(ROWS)])
    assert told(reading, "the dates fit both")
    reading, x = column(tmp_path, [f"{20 + i % 5}-0{1 + i % 9}-{10 + i % 9}" if i else "99-12-31" for i in range(ROWS)])
    assert x[0] == 10956.0
