from __future__ import annotations

from collections.abc import Callable

import pytest

from temperance.report.base import Study
from temperance.report.charts.curves import Robustness, damage
from temperance.testing.study_example import study_example


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_one_panel_per_damage_on_one_scale(task: str, make_study: Callable[..., Study]) -> None:
    study = make_study(study_example(task))
    made = Robustness().figure(study)
    assert made is not None
    assert [str(p.heading) for p in made.panels] == ["noise", "missing values", "wrong units"]
    assert len(made.rows) == 15
    assert all("line clean" in p.svg and "band" in p.svg for p in made.panels)
    assert all(p.y_label == made.panels[0].y_label for p in made.panels)


def test_points_without_intervals_or_a_clean_figure_still_draw(make_study: Callable[..., Study]) -> None:
    point = {"family": "new <kind>", "severity": 2, "measurement": {"name": "odd", "value": 0.5}}
    made = Robustness().figure(make_study({"winner": {"robustness": [point, {"family": "x", "severity": None}]}}))
    assert made is not None
    assert len(made.panels) == 1
    assert "line clean" not in made.panels[0].svg


def test_the_clean_line_is_of_the_same_rows_where_known(make_study: Callable[..., Study]) -> None:
    document = study_example()
    assert Robustness.clean(make_study(document)).pointer == "/winner/test/accuracy"
    document["winner"]["robustness_summary"] = {"clean": {"value": 0.9}}
    assert Robustness.clean(make_study(document)).pointer == "/winner/robustness_summary/clean"


def test_a_new_kind_of_damage_keeps_its_name(make_study: Callable[..., Study]) -> None:
    point = {"family": "new <kind>", "severity": 2, "measurement": {"name": "odd", "value": 0.5}}
    made = Robustness().figure(make_study({"winner": {"robustness": [point]}}))
    assert made is not None
    assert "&lt;kind&gt;" in made.panels[0].heading


def test_nothing_measured_nothing_drawn(make_study: Callable[..., Study]) -> None:
    assert Robustness().figure(make_study({})) is None


def test_known_damage_has_plain_words(make_study: Callable[..., Study]) -> None:
    study = make_study({"f": "jpeg"})
    assert damage(study, study.root["f"]) == "JPEG compression"
