from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temperance.report.base import Study
from temperance.report.charts.effects import Effects
from temperance.testing.study_example import study_example


def test_a_panel_for_each_column_with_its_band(make_study: Callable[..., Study]) -> None:
    document = study_example()
    effects = document["winner"]["insight"]["effects"]
    made = Effects().figure(make_study(document))
    assert made is not None
    assert len(made.panels) == min(4, len(effects))
    assert 'class="band"' in made.panels[0].svg
    assert effects[0]["answer"] in made.caption


def test_a_date_is_told_as_one_and_a_category_by_its_name(make_study: Callable[..., Study]) -> None:
    document: dict[str, Any] = study_example()
    points = [{"at": at, "value": 0.5, "low": 0.4, "high": 0.6} for at in (19_000.0, 19_400.0)]
    names = [{**point, "at": name} for point, name in zip(points, ("basic", "pro"), strict=True)]
    document["winner"]["insight"]["effects"] = [
        {"column": "signup", "part": "days", "answer": "yes", "points": points},
        {"column": "plan", "part": "", "answer": "yes", "points": names},
    ]
    made = Effects().figure(make_study(document))
    assert made is not None
    assert "2022\u201101\u201108" in made.panels[0].svg
    assert "19000" not in made.panels[0].svg.replace('"19000', "")
    assert ">pro</text>" in made.panels[1].svg
    document["winner"]["insight"]["effects"][0]["part"] = ""
    assert "2022" not in Effects().figure(make_study(document)).panels[0].svg  # type: ignore[union-attr]


def test_nothing_looked_at_no_chart(make_study: Callable[..., Study]) -> None:
    assert Effects().figure(make_study({})) is None
