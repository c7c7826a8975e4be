from __future__ import annotations

from collections.abc import Callable

from temperance.report.base import Study
from temperance.report.charts.truth import Truth
from temperance.testing.study_example import study_example


def test_a_dot_for_each_row_on_one_scale(make_study: Callable[..., Study]) -> None:
    document = study_example("regression")
    dots = document["winner"]["insight"]["mistakes"]["dots"]
    made = Truth().figure(make_study(document))
    assert made is not None
    assert made.panels[0].svg.count("<circle") == len(dots)
    dots[0].update(truth=1.0, predicted=1.0)
    dots[1:] = [{"truth": 9.0, "predicted": 9.0}]
    svg = Truth().figure(make_study(document)).panels[0].svg  # type: ignore[union-attr]
    places = [part.split('"')[0] for part in svg.split('<circle cx="')[1:]]
    heights = [part.split('cy="')[1].split('"')[0] for part in svg.split("<circle ")[1:]]
    assert [float(p[:-1]) + float(h[:-1]) for p, h in zip(places, heights, strict=True)] == [100.0, 100.0]


def test_no_numbers_no_chart(make_study: Callable[..., Study]) -> None:
    assert Truth().figure(make_study(study_example())) is None
