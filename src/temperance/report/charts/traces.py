"""How strengths moved while the winner trained: one small chart per strength."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from temperance.report.charts.base import Axis, Chart, Figure, Panel, Plot, around, thinned
from temperance.report.figures import attributes
from temperance.report.node import Node

if TYPE_CHECKING:
    from temperance.report.base import Study


@dataclass(frozen=True)
class Traces(Chart):
    """Steps over the share of training done; a hollow dot marks a move that hit its limit."""

    name: ClassVar[str] = "strengths"
    points: int = 120
    limit: int = 8

    def figure(self, study: Study) -> Figure | None:
        """Return the traces of the winner, or None where nothing moved."""
        traced = next((t["trace"] for t in study.members if t["trace"]), study.root["winner"]["refit_trace"])
        moves = [m for m in traced if m["value"].number is not None and m["fraction"].number is not None]
        if not moves:
            return None
        grouped: dict[str, list[Node]] = {}
        for move in moves:
            grouped.setdefault(move["strength"].text, []).append(move)
        kept = list(grouped.values())[: self.limit]
        panels = tuple(self._panel(study, i, group) for i, group in enumerate(kept))
        head = tuple(
            study.words.say(f"chart.strengths.head.{k}") for k in ("done", "strength", "value", "signal", "why")
        )
        picked = [moves[i] for i in thinned(len(moves))]
        rows = tuple(_row(study, move) for move in picked)
        caption = study.words.say("chart.strengths.caption")
        limited = any(move["saturated"].raw for move in moves)
        key = study.template("strengths_key.html.j2") if limited else Markup("")
        return Figure(self.name, caption, panels, head, rows, len(moves) - len(picked), key)

    def _panel(self, study: Study, i: int, group: list[Node]) -> Panel:
        shown = [group[j] for j in thinned(len(group), self.points)]
        values = [m["value"].number or 0.0 for m in shown]
        y = Axis(*around(values, pad=0.1, floor=0.0 if min(values) >= 0 else None))
        plot = Plot(Axis(0, 1, "tick_percent"), y, study.words.style, height=150)
        plot.grid(x_ticks=(0, 0.5, 1), count=3)
        places = [(min(max(m["fraction"].number or 0.0, 0.0), 1.0), m["value"].number or 0.0) for m in shown]
        plot.line(_steps(places))
        for move, place in zip(shown, places, strict=True):
            kind = "dot hollow" if move["saturated"].raw else "dot tiny"
            plot.dot(*place, radius=4 if move["saturated"].raw else 1.6, kind=kind, extra=attributes(move["value"]))
        say, style = study.words.say, study.words.style
        plain = group[0]["strength"].text[:60]
        ends = [style.mark(f"{places[j][1]:.3g}") for j in (0, -1)]
        desc = say("chart.strengths.desc", strength=plain, first=ends[0], last=ends[1], count=len(group))
        svg = plot.svg(f"{self.name}-{i}", say("chart.strengths.title", strength=plain), desc)
        return Panel(svg, heading=study.figures.quote(group[0]["strength"], 60), x_label=say("chart.strengths.x"))


def _steps(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    path = points[:1]
    for (_, before), (x, y) in pairwise(points):
        path += [(x, before), (x, y)]
    return path


def _row(study: Study, move: Node) -> tuple[Markup | str, ...]:
    fig, quote = study.figures.figure, study.figures.quote
    value = fig(move["value"], listed=False)
    return (
        fig(move["fraction"], form="percent", listed=False),
        quote(move["strength"], 60),
        study.words.say("chart.strengths.limit", value=value) if move["saturated"].raw else value,
        Markup("{} {}").format(quote(move["signal"], 60), fig(move["error"], form="signed", listed=False)),
        quote(move["reason"], 160),
    )
