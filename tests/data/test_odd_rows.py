from __future__ import annotations

import polars as pl

from temperance.data.odd_rows import odd_rows, without_headers


def frame(first: list[str | None], last: list[str | None]) -> pl.DataFrame:
    rows = [first, *[[str(i), "a", str(i / 3)] for i in range(20)], last]
    return pl.DataFrame(rows, schema=["n", "c", "f"], orient="row")


def test_units_and_totals_are_no_rows() -> None:
    first, end, notes, dropped = odd_rows(frame(["kg", "-", "m/s"], ["Total", None, "12.5"]))
    assert (first, end) == (1, 21)
    assert len(notes) == len(dropped) == 2
    assert odd_rows(frame(["1", "a", "2.5"], ["3", "b", "4.5"])) == (0, 22, (), ())


def test_a_word_that_the_column_holds_is_no_total() -> None:
    rows = [["1", "total", "0.5"], ["2", "part", "1.5"]] * 10
    assert odd_rows(pl.DataFrame([*rows, rows[0]], schema=["n", "c", "f"], orient="row"))[:2] == (0, 21)


def test_small_tables_are_left_alone() -> None:
    assert odd_rows(frame(["kg", "-", "m"], ["Total", "", ""])[:5])[:2] == (0, 5)


def test_rows_that_repeat_the_header() -> None:
    rows = [["1", "a"], ["n", "c"], ["2", None], ["n", "c"]]
    found, notes, dropped = without_headers(pl.DataFrame(rows, schema=["n", "c"], orient="row"))
    assert found["n"].to_list() == ["1", "2"]
    assert notes == ("2 rows repeat the header: left out.",)
    assert dropped[0]["rows"] == 2


def test_a_first_row_without_values_is_a_row() -> None:
    rows = [["1.5", "yes"], ["2.5", "no"]] * 10
    for first in (["NA", "maybe"], ["-", "yes"], ["unknown", "yes"], ["n.a.", "maybe"]):
        table = pl.DataFrame([first, *rows, ["n.a.", "no"]], schema=["n", "c"], orient="row")
        assert odd_rows(table)[0] == 0
    assert odd_rows(pl.DataFrame([["m/s", "answer"], *rows], schema=["n", "c"], orient="row"))[0] == 1
