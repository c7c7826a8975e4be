from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from temperance.report.base import Study
from temperance.report.charts.strip import Row, Strip
from temperance.report.node import Node

STRIP = Strip(Markup("Words"), (Markup("A"), Markup("B"), Markup("C")), form="percent", reference=0.9)


def row(value: float | None, kind: str = "") -> Row:
    ends = (None, None) if value is None else (value - 0.02, value + 0.02)
    return Row(Markup("one"), Node({"value": value, "low": ends[0], "high": ends[1]}, "/x"), Markup("note"), kind)


def test_rows_share_an_axis_within_0_and_1(make_study: Callable[..., Study]) -> None:
    made = STRIP.draw(make_study(), [row(0.97), row(0.5, "worse")])
    assert made.count("<tr") == 4
    assert "100\u202f%" in made
    assert "110" not in made
    assert made.count('class="reference"') == 2
    assert 'class="whisker worse"' in made


def test_a_row_without_a_figure_is_left_out(make_study: Callable[..., Study]) -> None:
    assert STRIP.draw(make_study(), [row(None)]) == ""
    assert STRIP.draw(make_study(), [row(0.9), row(None)]).count('scope="row"') == 1


def test_rows_of_different_units_have_their_own_scale_and_no_ticks(make_study: Callable[..., Study]) -> None:
    strip = Strip(Markup("Words"), (Markup("A"), Markup("B")), form="signed", reference=0.0, shared=False)
    made = strip.draw(make_study(), [row(0.5), row(500.0)])
    assert "<tfoot" not in made
    assert "+0.500" in made
