from __future__ import annotations

from collections.abc import Callable

from temperance.report.base import Study
from temperance.report.charts.frontier import Frontier
from temperance.testing.study_example import study_example


def test_each_point_has_a_letter_and_the_winner_is_marked(make_study: Callable[..., Study]) -> None:
    study = make_study()
    made = Frontier().figure(study)
    assert made is not None
    assert [row[0] for row in made.rows] == list("ABC")
    assert sum("(chosen)" in row[1] for row in made.rows) == 1
    assert made.panels[0].svg.count("dot front chosen") == 1


def test_axes_grow_to_the_right_and_the_caption_says_where_better_is(make_study: Callable[..., Study]) -> None:
    document = study_example()
    study = make_study(document)
    points = sorted(study.root["frontier"], key=lambda p: p["quality"].number or 0)
    plot = Frontier()._plot(study, points, [], dict.fromkeys((p.pointer for p in points), "A"))
    assert plot.x.at(points[0]["quality"].number or 0) < plot.x.at(points[-1]["quality"].number or 0)
    assert plot.x.low > 0
    assert "Recipes to the left are more correct, those at the top are tougher" in Frontier().draw(study)
    document["metric"]["better"] = "higher"
    assert "Recipes to the right are more correct" in Frontier().draw(make_study(document))


def test_every_letter_of_the_drawing_has_its_name_beside_it(make_study: Callable[..., Study]) -> None:
    study = make_study()
    made = Frontier().figure(study)
    assert made is not None
    for letter, name in ((row[0], row[1]) for row in made.rows):
        assert f"<strong>{letter}</strong> {name}" in made.key


def test_one_try_alone_is_no_choice(make_study: Callable[..., Study]) -> None:
    document = study_example()
    document["frontier"], document["trials"] = document["frontier"][:1], []
    assert Frontier().figure(make_study(document)) is None


def test_a_larger_cost_is_a_larger_circle(make_study: Callable[..., Study]) -> None:
    study = make_study()
    points = list(study.root["frontier"])
    plot = Frontier()._plot(study, points, [], dict.fromkeys((p.pointer for p in points), "A"))
    plot.marks.clear()
    for seconds in (1.0, 10.0):
        study.root["frontier"][0].raw["seconds"] = seconds
        Frontier()._mark(study, plot, study.root["frontier"][0], 10.0)
    radii = [float(mark.split('r="')[1].split('"')[0]) for mark in plot.marks]
    assert radii[0] < radii[1]


def test_far_off_tries_are_counted_not_drawn(make_study: Callable[..., Study]) -> None:
    document = study_example(trials=13)
    far = next(t for t in document["trials"] if t["robustness"] and t["id"] == "t000")
    far["selection"]["log_loss"]["value"] = 50.0
    made = Frontier().figure(make_study(document))
    assert made is not None
    assert "1 try lies far outside" in made.key


def test_a_far_off_simple_rule_stays_in_the_table_and_keeps_its_letter(make_study: Callable[..., Study]) -> None:
    document = study_example()
    first = document["frontier"][0]
    document["winner"]["trial"] = first["trial"]
    near = [{**first, "trial": f"n{i}", "quality": first["quality"] + 0.01 * i} for i in (1, 2, 3)]
    document["frontier"] = [{**first, "trial": "far", "quality": 40.0}, first, *near]
    made = Frontier().figure(make_study(document))
    assert made is not None
    assert [row[0] for row in made.rows] == list("ABCDE")
    assert ">B</text>" in made.panels[0].svg
    assert ">A</text>" not in made.panels[0].svg
    assert "far outside" in made.key


def test_figures_are_in_the_unit_of_the_trial_s_own_measurement(make_study: Callable[..., Study]) -> None:
    document = study_example()
    for point in document["frontier"]:
        point.update(quality=point["quality"] ** 2, robustness=-point["robustness"])
    made = Frontier().figure(make_study(document))
    assert made is not None
    assert all("/selection/log_loss/value" in row[2] for row in made.rows)
    assert not any("\u2212" in row[3] for row in made.rows)


def test_no_robustness_no_chart(make_study: Callable[..., Study]) -> None:
    assert Frontier().figure(make_study({"frontier": [{"trial": "a", "quality": 1, "robustness": None}]})) is None
    assert Frontier().draw(make_study({})) == ""
