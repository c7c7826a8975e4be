"""Do stated chances come true? Stated chance against how often it was right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from temperance.report.charts.base import Axis, Chart, Figure, Panel, Plot
from temperance.report.figures import attributes
from temperance.report.node import Node

if TYPE_CHECKING:
    from temperance.report.base import Study


@dataclass(frozen=True)
class Reliability(Chart):
    """Dots by bin, sized by the rows in it, on the line where stated and true agree."""

    name: ClassVar[str] = "reliability"

    def figure(self, study: Study) -> Figure | None:
        """Return the diagram, or None where the study has no bins with rows."""
        bins = [b for b in study.root["winner"]["reliability"] if self._usable(b)]
        if not bins:
            return None
        plot = self._plot(study, bins)
        most = max(b["n"].number or 1.0 for b in bins)
        for b in bins:
            radius = 3 + 9 * math.sqrt((b["n"].number or 0.0) / most)
            plot.dot(
                b["confidence"].number or 0.0,
                b["accuracy"].number or 0.0,
                radius=radius,
                kind="dot soft",
                extra=attributes(b["accuracy"]),
            )
        say = study.words.say
        svg = plot.svg(self.name, say("chart.reliability.title"), say("chart.reliability.desc", count=len(bins)))
        panel = Panel(svg, x_label=say("chart.reliability.x"), y_label=say("chart.reliability.y"))
        head = tuple(say(f"chart.reliability.head.{k}") for k in ("stated", "true", "n"))
        rows = tuple(self._row(study, b) for b in bins)
        return Figure(self.name, say("chart.reliability.caption"), (panel,), head, rows[:20], max(0, len(rows) - 20))

    @staticmethod
    def _plot(study: Study, bins: list[Node]) -> Plot:
        low, least = (min(b[k].number or 0.0 for b in bins) for k in ("confidence", "accuracy"))
        x = Axis(min(math.floor(low * 10) / 10, 0.9), 1, "tick_percent")
        axis = Axis(min(math.floor(least * 10) / 10, x.low), 1, "tick_percent")
        plot = Plot(x, axis, study.words.style, height=320)
        plot.grid()
        plot.line([(x.low, x.low), (1, 1)], "line clean")
        for b in bins:
            low_end, high_end = b["accuracy_low"].number, b["accuracy_high"].number
            if low_end is not None and high_end is not None:
                at = b["confidence"].number or 0.0
                plot.line([(at, max(low_end, axis.low)), (at, high_end)], "line thin")
        return plot

    @staticmethod
    def _usable(item: Node) -> bool:
        known = item["confidence"].number is not None and item["accuracy"].number is not None
        return known and (item["n"].number or 0.0) > 0

    @staticmethod
    def _row(study: Study, item: Node) -> tuple[Markup | str, ...]:
        fig = study.figures.figure
        return (
            fig(item["confidence"], form="percent", listed=False),
            fig(item["accuracy"], form="percent", listed=False),
            fig(item["n"], form="count", listed=False),
        )
