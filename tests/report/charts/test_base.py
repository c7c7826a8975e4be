from __future__ import annotations

import pytest
from markupsafe import Markup

from temperance.report.charts.base import Axis, Plot, around, pct, tag, thinned
from temperance.report.forms import Style

STYLE = Style(".", ",", ())


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.28, 0.41), (-3, 5), (1e-5, 9e-5), (1000, 250_000), (0.9, 1.0)])
def test_ticks_are_round_inside_and_enough(low: float, high: float) -> None:
    ticks = Axis(low, high).ticks(4)
    assert 4 <= len(ticks) <= 13
    assert all(low - 1e-12 <= t <= high + 1e-9 for t in ticks)
    assert ticks == sorted(ticks)


def test_places_are_percent_and_grow_with_the_value() -> None:
    assert Axis(0, 4).at(1) == 25
    assert Axis(0, 4).at(3) == 75
    assert Axis(2, 2).at(2) == 50
    assert Axis(2, 2).ticks() == [2]


def test_ranges_have_air_and_limits() -> None:
    assert around([0, 1], pad=0.1) == pytest.approx((-0.1, 1.1))
    assert around([0, 1], pad=0.1, floor=0, top=1) == (0, 1)
    low, high = around([3, 3])
    assert low < 3 < high
    assert around([]) == pytest.approx((-0.08, 1.08))


def test_elements_are_escaped() -> None:
    assert (
        tag("text", "<b>", x=pct(12.5), class_="a", stroke_width=None) == '<text x="12.5%" class="a">&lt;b&gt;</text>'
    )
    assert tag("g", Markup("<b></b>")) == "<g><b></b></g>"
    assert tag("g", data_x='"') == '<g data-x="&#34;"></g>'


def test_a_plot_closes_with_title_and_description() -> None:
    plot = Plot(Axis(0, 1), Axis(0, 10), STYLE)
    plot.grid()
    plot.line([(0, 0), (1, 10)])
    plot.band([(0, 2)], [(0, 1)])
    plot.dot(0.5, 5)
    plot.note(0.5, 5, "A")
    made = plot.svg("x", "Title", "Words")
    assert 'aria-labelledby="x-t x-d"' in made
    assert '<title id="x-t">Title</title><desc id="x-d">Words</desc>' in made
    assert 'points="0,100 100,0"' in made
    assert 'cx="50%" cy="50%"' in made
    assert "style=" not in made


def test_ticks_use_the_marks_of_the_language() -> None:
    plot = Plot(Axis(0, 1), Axis(-1, 0.5), Style(",", " ", ()))
    plot.grid()
    assert "\u22120,5" in "".join(plot.marks)


def test_thinning_keeps_the_ends() -> None:
    assert thinned(5) == [0, 1, 2, 3, 4]
    kept = thinned(1000)
    assert len(kept) == 20
    assert (kept[0], kept[-1]) == (0, 999)
