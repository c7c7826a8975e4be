"""Loss while the winner trained, on the rows it learned from and on rows it did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from temperance.report.charts.base import Axis, Chart, Figure, Panel, Plot, around, thinned
from temperance.report.node import Node

if TYPE_CHECKING:
    from temperance.report.base import Study

SERIES = (("train_loss", "line seen"), ("controller_loss", "line unseen"))


@dataclass(frozen=True)
class Learning(Chart):
    """Two lines with direct labels: solid for rows learned from, dashed for rows not learned from."""

    name: ClassVar[str] = "learning"
    points: int = 200

    def figure(self, study: Study) -> Figure | None:
        """Return the curves, or None where no history was kept."""
        history = next((t["history"] for t in study.members if t["history"]), Node(None, "/trials"))
        rows = [row for row in history if row["epoch"].number is not None and _drawn(row)]
        if len(rows) < 2:
            return None
        shown = [rows[i] for i in thinned(len(rows), self.points)]
        plot = self._plot(study, shown)
        say = study.words.say
        panel = Panel(
            plot.svg(self.name, say("chart.learning.title"), say("chart.learning.desc")),
            x_label=say("chart.learning.x"),
            y_label=say("chart.learning.y"),
        )
        head = tuple(say(f"chart.learning.head.{k}") for k in ("epoch", "seen", "unseen"))
        picked = [rows[i] for i in thinned(len(rows))]
        table = tuple(_row(study, row) for row in picked)
        key = study.template(
            "learning_key.html.j2", unseen=any(row["controller_loss"].number is not None for row in rows)
        )
        return Figure(self.name, say("chart.learning.caption"), (panel,), head, table, len(rows) - len(picked), key)

    @staticmethod
    def _plot(study: Study, rows: list[Node]) -> Plot:
        values = [v for row in rows for name, _ in SERIES if (v := row[name].number) is not None]
        epochs = [row["epoch"].number or 0.0 for row in rows]
        plot = Plot(Axis(min(epochs), max(epochs)), Axis(*around(values)), study.words.style, height=240)
        plot.grid(x_ticks=[t for t in plot.x.ticks(4) if t == int(t)])
        for name, kind in SERIES:
            points = [(row["epoch"].number or 0.0, v) for row in rows if (v := row[name].number) is not None]
            if len(points) > 1:
                plot.line(points, kind)
        return plot


def _drawn(row: Node) -> bool:
    return any(row[name].number is not None for name, _ in SERIES)


def _row(study: Study, row: Node) -> tuple[Markup | str, ...]:
    fig = study.figures.figure
    return (fig(row["epoch"], form="plain", listed=False), *(fig(row[name], listed=False) for name, _ in SERIES))
