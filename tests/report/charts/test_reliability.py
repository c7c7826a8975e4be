from __future__ import annotations

from collections.abc import Callable

from temperance.report.base import Study
from temperance.report.charts.reliability import Reliability


def bins(*rows: tuple[float, float, int]) -> dict[str, object]:
    return {"winner": {"reliability": [{"confidence": c, "accuracy": a, "n": n} for c, a, n in rows]}}


def test_bins_with_rows_are_dots_sized_by_rows(make_study: Callable[..., Study]) -> None:
    made = Reliability().figure(make_study(bins((0.55, 0.5, 4), (0.95, 0.97, 400), (0.75, 0.7, 0))))
    assert made is not None
    assert len(made.rows) == 2
    radii = [float(part.split('"')[0]) for part in made.panels[0].svg.split('r="')[1:] if part[0].isdigit()]
    assert radii[0] < radii[1]


def test_the_axis_starts_where_the_bins_start(make_study: Callable[..., Study]) -> None:
    study = make_study(bins((0.55, 0.62, 4), (0.95, 0.97, 400)))
    assert Reliability._plot(study, list(study.root["winner"]["reliability"])).x.low == 0.5
    sure = make_study(bins((1.0, 1.0, 4)))
    assert Reliability._plot(sure, list(sure.root["winner"]["reliability"])).x.low == 0.9


def test_intervals_are_drawn_where_given(make_study: Callable[..., Study]) -> None:
    made = Reliability().figure(make_study())
    assert made is not None
    assert made.panels[0].svg.count("line thin") == 5


def test_no_bins_no_chart(make_study: Callable[..., Study]) -> None:
    assert Reliability().figure(make_study(bins())) is None
