from __future__ import annotations

from collections.abc import Callable

from temperance.report.base import Study
from temperance.report.charts.tradeoff import Tradeoff
from temperance.testing.study_example import study_example


def test_two_curves_with_the_threshold_in_use(make_study: Callable[..., Study]) -> None:
    document = study_example()
    made = Tradeoff().figure(make_study(document))
    assert made is not None
    assert len(made.panels) == 2
    used = document["winner"]["insight"]["mistakes"]["threshold"]
    assert f'data-value="{used["recall"]}"' in made.panels[0].svg
    assert f'data-value="{used["precision"]}"' in made.panels[1].svg
    assert "yes" in made.caption or "no" in made.caption
    assert len(made.rows) <= 20


def test_no_two_classes_no_curve(make_study: Callable[..., Study]) -> None:
    assert Tradeoff().figure(make_study(study_example("multiclass"))) is None
    assert Tradeoff().draw(make_study({})) == ""
