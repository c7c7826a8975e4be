from __future__ import annotations

import polars as pl
import pytest

from temperance.data.base import Contents
from temperance.data.choices import AS_FOUND, ColumnChoice, choose
from temperance.data.evidence import FileStyle
from temperance.data.inputs import listed, look_at

ROWS = 60
FRAME = pl.DataFrame(
    {
        "color": ["red", "blue", "green"] * 20,
        "size": [float(i % 7) for i in range(ROWS)],
        "same": ["x"] * ROWS,
        "also_same": [1] * ROWS,
        "code": [f"AB{i:05d}x" for i in range(ROWS)],
    }
)


@pytest.mark.parametrize("lazy", [False, True])
def test_inputs_in_their_order_and_why_the_others_are_left_out(lazy: bool) -> None:
    contents = Contents(FRAME.lazy() if lazy else FRAME, "x", "")
    columns, notes, dropped, readers = look_at(contents, ["size"], AS_FOUND, FileStyle("", lambda: "."))
    assert [c.name for c in columns] == ["color"]
    assert {item["column"] for item in dropped} == {"same", "also_same", "code"}
    assert any("2 columns are not used, for each: it is constant. They are 'same', 'also_same'." in n for n in notes)
    assert [r.name for r in readers] == ["color", "same", "also_same", "code"]
    kept, *_ = look_at(contents, [], choose(keep=["code"]), FileStyle("", lambda: "."))
    assert [c.name for c in kept][:1] == ["size"]
    assert "code" in [c.name for c in kept]
    assert AS_FOUND.of("code") == ColumnChoice()


def test_long_lists_are_cut() -> None:
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(list("abcdefghijk")).endswith("'h' …")
