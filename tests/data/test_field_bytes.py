from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temperance.data.field_bytes import Fields

CELLS = st.sampled_from(
    [
        "",
        "0",
        "00",
        "007",
        "0.5",
        "0,5",
        "01.02.2020",
        "07x",
        "1",
        "10",
        " 1",
        "\t",
        "a b",
        "-07",
        "-0",
        "-0.0",
        "-",
        "-1",
        "0" * 30,
    ]
)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=30), separator=st.sampled_from([";", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_suspects_are_the_columns_with_such_a_cell(rows: list[tuple[str, ...]], separator: str, end: str) -> None:
    chunk = "".join(separator.join(row) + end for row in rows).encode()
    expected = {
        name for k, name in enumerate("abc") for row in rows
        if re.match(r"(0\d+|-0\d*)$", row[k]) or row[k].startswith((" ", "\t"))
    }  # fmt: skip
    assert Fields(chunk, ord(separator), 3).suspects("abc") == expected


@pytest.mark.parametrize("step", [1, 2, 3, 100])
@pytest.mark.parametrize("start", [0, 1, 2])
def test_every_so_many_lines(step: int, start: int) -> None:
    lines = [f"{i};x\n".encode() for i in range(17)]
    fields = Fields(b"".join(lines), ord(";"), 2)
    assert fields.lines(start, step) == b"".join(lines[start::step])
    assert fields.lines(99, step) == b""
    assert fields.count(ord(";")) == 17
