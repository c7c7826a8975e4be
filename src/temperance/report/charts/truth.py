"""Predicted against true numbers, one dot a test row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from temperance.report.charts.base import Axis, Chart, Figure, Panel, Plot, around, thinned
from temperance.report.figures import attributes

if TYPE_CHECKING:
    from temperance.report.base import Study


@dataclass(frozen=True)
class Truth(Chart):
    """Dots on one scale for both axes; on the dashed line a prediction is right."""

    name: ClassVar[str] = "truth"

    def figure(self, study: Study) -> Figure | None:
        """Return the chart, or None where no numbers are predicted."""
        every = study.root["winner"]["insight"]["mistakes"]["dots"]
        dots = [d for d in every if d["truth"].number is not None and d["predicted"].number is not None]
        if not dots:
            return None
        axis = Axis(*around([d[k].number or 0.0 for d in dots for k in ("truth", "predicted")]))
        plot = Plot(axis, axis, study.words.style, height=320)
        plot.grid()
        plot.line([(axis.low, axis.low), (axis.high, axis.high)], "line clean")
        for d in dots:
            plot.dot(
                d["truth"].number or 0.0,
                d["predicted"].number or 0.0,
                kind="dot soft",
                extra=attributes(d["predicted"]),
            )
        say, fig = study.words.say, study.figures.figure
        svg = plot.svg(self.name, say("chart.truth.title"), say("chart.truth.desc", count=len(dots)))
        panel = Panel(svg, x_label=say("chart.truth.x"), y_label=say("chart.truth.y"))
        kept = [dots[i] for i in thinned(len(dots))]
        rows = tuple((fig(d["truth"], listed=False), fig(d["predicted"], listed=False)) for d in kept)
        head = (say("chart.truth.x"), say("chart.truth.y"))
        return Figure(self.name, say("chart.truth.caption"), (panel,), head, rows, len(dots) - len(kept))
