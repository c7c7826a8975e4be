"""How the model holds up as inputs get worse: one small chart per kind of damage, all on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from temperance.report.charts.base import Axis, Chart, Figure, Panel, Plot, around
from temperance.report.figures import attributes
from temperance.report.node import Node

if TYPE_CHECKING:
    from temperance.report.base import Study


@dataclass(frozen=True)
class Robustness(Chart):
    """Small multiples over severity, the clean figure as a dashed line."""

    name: ClassVar[str] = "robustness"
    limit: int = 12

    def figure(self, study: Study) -> Figure | None:
        """Return the curves, or None where robustness was not measured."""
        found = families(study.root["winner"]["robustness"])
        if not found:
            return None
        shown = dict(list(found.items())[: self.limit])
        clean = self.clean(study)
        y = self._axis(study, found, clean)
        panels = tuple(self._panel(study, i, points, y, clean) for i, points in enumerate(shown.values()))
        head = tuple(study.words.say(f"chart.robustness.head.{k}") for k in ("family", "severity", "value", "n"))
        rows = [_row(study, point) for points in shown.values() for point in points]
        caption = study.words.say("chart.robustness.caption")
        return Figure(self.name, caption, panels, head, tuple(rows[:60]), max(0, len(rows) - 60))

    @staticmethod
    def clean(study: Study) -> Node:
        """Return the figure of the same rows undamaged, else the test figure of the same metric."""
        same = study.root["winner"]["robustness_summary"]["clean"]
        test = study.root["winner"]["test"]["r2" if study.regression else "accuracy"]
        return same if same["value"].number is not None else test

    @staticmethod
    def _axis(study: Study, found: dict[str, list[Node]], clean: Node) -> Axis:
        values = [v for points in found.values() for p in points for v in _ends(p["measurement"])]
        values += _ends(clean)
        share = min(values) >= 0 and max(values) <= 1
        low, high = around(values, floor=0.0 if min(values) >= 0 else None, top=1.0 if share else None)
        return Axis(low, high, "number" if study.regression else "tick_percent")

    def _panel(self, study: Study, i: int, points: list[Node], y: Axis, clean: Node) -> Panel:
        top = max([p["severity"].number or 0.0 for p in points] + [1.0])
        plot = Plot(Axis(0.0 if clean else 0.6, top + 0.3), y, study.words.style, height=150)
        plot.grid(x_ticks=sorted({p["severity"].number or 0.0 for p in points})[:8], count=3)
        base = clean["value"].number
        if base is not None:
            plot.line([(plot.x.low, base), (plot.x.high, base)], "line clean")
        places = [(p["severity"].number or 0.0, p["measurement"]) for p in points]
        banded = [(s, m) for s, m in places if m["low"].number is not None and m["high"].number is not None]
        if banded:
            plot.band(
                [(s, m["high"].number or 0.0) for s, m in banded], [(s, m["low"].number or 0.0) for s, m in banded]
            )
        plot.line([(s, m["value"].number or 0.0) for s, m in places])
        for s, m in places:
            plot.dot(s, m["value"].number or 0.0, radius=3.5, extra=attributes(m["value"]))
        family = points[0]["family"]
        say, plain = study.words.say, family.text[:60]
        desc = say(
            "chart.robustness.desc", family=plain, first=self._end(study, points[0]), last=self._end(study, points[-1])
        )
        svg = plot.svg(f"{self.name}-{i}", say("chart.robustness.title", family=plain), desc)
        label = say("metric.r2" if study.regression else "metric.accuracy")
        return Panel(svg, heading=damage(study, family), x_label=say("chart.robustness.x"), y_label=label)

    @staticmethod
    def _end(study: Study, point: Node) -> str:
        return study.words.style.mark(f"{point['measurement']['value'].number or 0:.3g}")


def damage(study: Study, family: Node) -> Markup:
    """Name a kind of damage."""
    known = f"damage.{family.text}"
    return study.words.say(known) if study.words.knows(known) else study.figures.quote(family, 60)


def families(points: Node) -> dict[str, list[Node]]:
    """Return the measured points of each kind of damage, the mildest first."""
    grouped: dict[str, list[Node]] = {}
    for point in points:
        if point["measurement"]["value"].number is not None and point["severity"].number is not None:
            grouped.setdefault(point["family"].text, []).append(point)
    return {name: sorted(group, key=lambda p: p["severity"].number or 0.0) for name, group in grouped.items()}


def _ends(measurement: Node) -> list[float]:
    found = [measurement[end].number for end in ("value", "low", "high")]
    return [value for value in found if value is not None]


def _row(study: Study, point: Node) -> tuple[Markup | str, ...]:
    fig = study.figures.figure
    value = study.figures.interval(point["measurement"], form="number" if study.regression else "percent", listed=False)
    return (
        damage(study, point["family"]),
        fig(point["severity"], form="plain", listed=False),
        value,
        fig(point["measurement"]["n"], form="count", listed=False),
    )
