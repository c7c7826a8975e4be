"""How the mean answer moves with a column: one small chart per column, all on one scale."""

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
class Effects(Chart):
    """A line over the values of a number, dots over the categories of a word; shaded is the likely range."""

    name: ClassVar[str] = "effects"
    limit: int = 4

    def figure(self, study: Study) -> Figure | None:
        """Return the charts of the leading columns, or None where none was looked at."""
        effects = [e for e in study.root["winner"]["insight"]["effects"] if len(_usable(e)) >= 2][: self.limit]
        if not effects:
            return None
        say = study.words.say
        share = not study.regression
        ends = [p[k].number for e in effects for p in _usable(e) for k in ("value", "low", "high")]
        low, high = around([v for v in ends if v is not None], floor=0.0 if share else None, top=1.0 if share else None)
        y = Axis(low, high, "tick_percent" if share else "number")
        panels = tuple(self._panel(study, i, e, y) for i, e in enumerate(effects))
        head = tuple(say(f"chart.effects.head.{k}") for k in ("column", "at", "value"))
        form = "percent" if share else "number"
        rows = tuple(
            (study.figures.quote(e["column"], 60), _at(study, e, p), study.figures.interval(p, form, listed=False))
            for e in effects
            for p in _usable(e)
        )
        caption = say("chart.effects.caption.number")
        if share:
            caption = say("chart.effects.caption", answer=study.figures.quote(effects[0]["answer"], 40))
        return Figure(self.name, caption, panels, head, rows[:60], max(0, len(rows) - 60))

    def _panel(self, study: Study, i: int, effect: Node, y: Axis) -> Panel:
        points = _usable(effect)
        places = [p["at"].number for p in points]
        numeric = all(place is not None for place in places)
        xs = [place or 0.0 for place in places] if numeric else [float(k) for k in range(len(points))]
        form = "day" if effect["part"].raw == "days" else "number"
        plot = Plot(Axis(*around(xs, pad=0.25 if form == "day" else 0.04), form), y, study.words.style, height=150)
        plot.grid(x_ticks=self._ticks(xs, form) if numeric else (), count=3)
        values = [p["value"].number or 0.0 for p in points]
        if numeric:
            lows, highs = (
                [p[k].number if p[k].number is not None else v for p, v in zip(points, values, strict=True)]
                for k in ("low", "high")
            )
            plot.band(
                [(x, h or 0.0) for x, h in zip(xs, highs, strict=True)],
                [(x, v or 0.0) for x, v in zip(xs, lows, strict=True)],
            )
            plot.line(list(zip(xs, values, strict=True)))
        for x, point, value in zip(xs, points, values, strict=True):
            plot.dot(x, value, radius=3.5, extra=attributes(point["value"]))
            if not numeric:
                plot.note(x, value, point["at"].text[:12], kind="tick middle", dy="-0.9em")
        say = study.words.say
        title = say("chart.effects.title", column=effect["column"].text[:60])
        svg = plot.svg(f"{self.name}-{i}", title, say("chart.effects.desc", count=len(points)))
        return Panel(svg, heading=study.figures.quote(effect["column"], 60))

    @staticmethod
    def _ticks(xs: list[float], form: str) -> tuple[float, ...] | None:
        """Return the two ends for dates, whose round numbers mean nothing."""
        return (xs[0], xs[-1]) if form == "day" else None


def _usable(effect: Node) -> list[Node]:
    return [p for p in effect["points"] if p["value"].number is not None]


def _at(study: Study, effect: Node, point: Node) -> Markup:
    value = point["at"].number
    if value is None:
        return study.figures.quote(point["at"], 60)
    form = "day" if effect["part"].raw == "days" else "number"
    return study.figures.figure(point["at"], form=form, listed=False)
