"""What another threshold would cost: caught cases against false alarms, and against true alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from temperance.report.charts.base import Axis, Chart, Figure, Panel, Plot, thinned
from temperance.report.figures import attributes
from temperance.report.node import Node

if TYPE_CHECKING:
    from temperance.report.base import Study

AXES = (("roc", "false_alarms", "recall"), ("pr", "recall", "precision"))


@dataclass(frozen=True)
class Tradeoff(Chart):
    """The ROC curve and the curve of precision over recall, with the threshold in use."""

    name: ClassVar[str] = "tradeoff"

    def figure(self, study: Study) -> Figure | None:
        """Return both curves, or None where there are not two classes."""
        found = study.root["winner"]["insight"]["mistakes"]
        curve = list(found["curve"])
        if len(curve) < 2:
            return None
        used = found["threshold"]
        panels = tuple(self._panel(study, name, curve, used, x, y) for name, x, y in AXES)
        say, kept = study.words.say, [curve[i] for i in thinned(len(curve))]
        head = tuple(say(f"chart.tradeoff.head.{k}") for k in ("threshold", "recall", "precision", "false_alarms"))
        rows = tuple(
            tuple(self._cell(study, point[k]) for k in ("threshold", "recall", "precision", "false_alarms"))
            for point in kept
        )
        caption = say("chart.tradeoff.caption", name=study.figures.quote(found["case"], 40))
        return Figure(self.name, caption, panels, head, rows, len(curve) - len(kept))

    @staticmethod
    def _cell(study: Study, node: Node) -> Markup:
        return study.figures.figure(node, form="percent", listed=False)

    def _panel(self, study: Study, name: str, curve: list[Node], used: Node, x: str, y: str) -> Panel:
        plot = Plot(Axis(0, 1, "tick_percent"), Axis(0, 1, "tick_percent"), study.words.style, height=220)
        plot.grid(count=2)
        points = [(p[x].number, p[y].number) for p in curve]
        line = [(a, b) for a, b in points if a is not None and b is not None]
        if name == "roc":
            plot.line([(0.0, 0.0), (1.0, 1.0)], "line clean")
            line = [(0.0, 0.0), *line, (1.0, 1.0)]
        plot.line(line)
        a, b = used[x].number, used[y].number
        if a is not None and b is not None:
            plot.dot(a, b, radius=6, kind="dot soft", extra=attributes(used[y]))
        say = study.words.say
        svg = plot.svg(f"{self.name}-{name}", say(f"chart.tradeoff.{name}.title"), say("chart.tradeoff.desc"))
        labels = {"x_label": say(f"chart.tradeoff.{x}"), "y_label": say(f"chart.tradeoff.{y}")}
        return Panel(svg, heading=say(f"chart.tradeoff.{name}.title"), **labels)
