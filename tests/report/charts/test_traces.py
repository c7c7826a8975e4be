from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temperance.report.base import Study
from temperance.report.charts.traces import Traces, _steps


def moves(count: int, **more: Any) -> dict[str, Any]:
    fixed = {"strength": "dropout.p", "signal": "gap", "error": 0.1, **more}
    trace = [{"fraction": i / count, "value": i / 100, **fixed} for i in range(count)]
    return {"winner": {"trial": "a"}, "trials": [{"id": "a", "trace": trace}]}


def test_a_strength_moves_in_steps() -> None:
    assert _steps([(0, 1), (1, 2)]) == [(0, 1), (1, 1), (1, 2)]
    assert _steps([]) == []


def test_one_panel_per_strength(make_study: Callable[..., Study]) -> None:
    study = make_study()
    adaptive = next(t for t in study.root["trials"] if t["trace"])
    study.root.raw["winner"]["trial"] = adaptive["id"].raw
    made = Traces().figure(study)
    assert made is not None
    assert [">dropout.p<" in str(p.heading) for p in made.panels] == [True, False]
    assert "hollow" in made.key


def test_long_traces_are_thinned_and_counted(make_study: Callable[..., Study]) -> None:
    made = Traces().figure(make_study(moves(5000)))
    assert made is not None
    assert len(made.rows) == 20
    assert made.more == 4980
    assert made.panels[0].svg.count("<circle") == 120


def test_a_move_at_its_limit_is_a_hollow_dot_and_said(make_study: Callable[..., Study]) -> None:
    made = Traces().figure(make_study(moves(3, saturated=True)))
    assert made is not None
    assert made.panels[0].svg.count("hollow") == 3
    assert "at its limit" in made.rows[0][2]


def test_fixed_strengths_draw_nothing(make_study: Callable[..., Study]) -> None:
    assert Traces().figure(make_study(moves(0))) is None


def test_an_ensemble_shows_the_moves_of_its_member_or_of_the_refit(make_study: Callable[..., Study]) -> None:
    document = moves(5)
    document["winner"] = {"trial": "e", "members": ["a"]}
    assert Traces().figure(make_study(document)) is not None
    trace = document["trials"].pop()["trace"]
    assert Traces().figure(make_study(document)) is None
    document["winner"]["refit_trace"] = trace
    assert Traces().figure(make_study(document)) is not None
