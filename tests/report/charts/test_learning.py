from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temperance.report.base import Study
from temperance.report.charts.learning import Learning


def history(count: int, *, controller: bool = True) -> dict[str, Any]:
    rows = [
        {"epoch": i + 1, "train_loss": 1 / (i + 1), "controller_loss": 0.5 if controller else None}
        for i in range(count)
    ]
    return {"winner": {"trial": "a"}, "trials": [{"id": "a", "history": rows}]}


def test_two_lines_and_a_key(make_study: Callable[..., Study]) -> None:
    made = Learning().figure(make_study(history(40)))
    assert made is not None
    assert made.panels[0].svg.count("<polyline") == 2
    assert "did not learn" in made.key
    assert len(made.rows) == 20
    assert made.more == 20


def test_no_controller_rows_one_line(make_study: Callable[..., Study]) -> None:
    made = Learning().figure(make_study(history(10, controller=False)))
    assert made is not None
    assert made.panels[0].svg.count("<polyline") == 1
    assert "did not learn" not in made.key


def test_one_round_is_no_curve(make_study: Callable[..., Study]) -> None:
    assert Learning().figure(make_study(history(1))) is None
    assert Learning().figure(make_study({})) is None
