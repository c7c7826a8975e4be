"""Quality against robustness with cost as size: what each recipe gives for what it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from temperance.report.charts.base import CAP, Axis, Chart, Figure, Panel, Plot, around, thinned
from temperance.report.figures import attributes
from temperance.report.metrics import direction, metric_text
from temperance.report.node import Node

if TYPE_CHECKING:
    from temperance.report.base import Study

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Frontier(Chart):
    """A scatter with a letter for each point of the frontier, on axes that grow to the right and to the top."""

    name: ClassVar[str] = "frontier"
    background: int = 200

    def figure(self, study: Study) -> Figure | None:
        """Return the scatter, or None where no trial has both figures."""
        listed = [p for p in study.root["frontier"] if _x(study, p).number is not None]
        points = [p for p in listed if _y(study, p).number is not None][:CAP]
        others = self._others(study, points)
        if not points or len(points) + len(others) < 2:
            return None
        front = self._together(study, points)
        near = self._near(study, front, others)
        letters = {p.pointer: LETTERS[i] for i, p in enumerate(points)}
        plot = self._plot(study, front, near, letters)
        say = study.words.say
        title = say("chart.frontier.title")
        sides = self._sides(study)
        desc = say("chart.frontier.desc", count=len(points), **sides)
        metric = study.root["metric"]
        panel = Panel(
            plot.svg(self.name, title, desc),
            x_label=say(
                "chart.frontier.x",
                metric=metric_text(study, metric["name"]),
                better=direction(study, metric["better"].text),
            ),
            y_label=say("chart.frontier.y", better=direction(study, self._better(study))),
        )
        head = tuple(say(f"chart.frontier.head.{k}") for k in ("mark", "recipe", "quality", "toughness", "cost", "why"))
        rows = tuple(self._row(study, i, p) for i, p in enumerate(points))
        named = [(LETTERS[i], rows[i][1]) for i, p in enumerate(points) if p in front]
        outside = len(others) - len(near) + len(points) - len(front)
        key = study.template("frontier_key.html.j2", outside=outside, named=named)
        caption = say("chart.frontier.caption", **sides)
        return Figure(self.name, caption, (panel,), head, rows, len(listed) - len(points), key)

    def _sides(self, study: Study) -> dict[str, Markup]:
        """Say on which side of each axis the better recipes stand."""
        right = study.root["metric"]["better"].raw != "lower"
        top = self._better(study) != "lower"
        return {
            "side": study.words.say("side.right" if right else "side.left"),
            "height": study.words.say("side.top" if top else "side.bottom"),
        }

    @staticmethod
    def _better(study: Study) -> str:
        found = (t["robustness"]["better"].text for t in study.root["trials"] if t["robustness"]["better"].text)
        return next(found, "lower")

    def _others(self, study: Study, points: list[Node]) -> list[tuple[Node, Node]]:
        metric, kept = study.root["metric"]["name"].text, {p["trial"].raw for p in points}
        pairs = [
            (t["selection"][metric]["value"], t["robustness"]["value"])
            for t in study.root["trials"]
            if t["id"].raw not in kept and t["status"].raw == "done"
        ]
        whole = [pair for pair in pairs if pair[0].number is not None and pair[1].number is not None]
        return [whole[i] for i in thinned(len(whole), self.background)]

    @staticmethod
    def _near(study: Study, points: list[Node], others: list[tuple[Node, Node]]) -> list[tuple[Node, Node]]:
        """Drop tries beyond three times the middle distance: they would squeeze the frontier into a corner."""
        kept = others
        for part, place in enumerate((_x, _y)):
            front = [place(study, p).number or 0.0 for p in points]
            middle = sorted(min(abs((pair[part].number or 0.0) - f) for f in front) for pair in others)
            reach = 3 * max(middle[len(middle) // 2] if middle else 0.0, max(front) - min(front))
            kept = [pair for pair in kept if min(abs((pair[part].number or 0.0) - f) for f in front) <= reach]
        return kept

    def _together(self, study: Study, points: list[Node]) -> list[Node]:
        """Leave out points far from the chosen one, such as the simplest rule; the table keeps them."""
        kept = points
        home = next((p for p in points if self._chosen(study, p)), points[0])
        for place in (_x, _y):
            here = place(study, home).number or 0.0
            away = sorted(abs((place(study, p).number or 0.0) - here) for p in points if p is not home)
            reach = 5 * away[(len(away) - 1) // 2] if len(away) > 2 else 0.0
            kept = [p for p in kept if reach == 0 or abs((place(study, p).number or 0.0) - here) <= reach]
        return kept

    def _plot(self, study: Study, points: list[Node], others: list[tuple[Node, Node]], letters: dict[str, str]) -> Plot:
        xs = [_x(study, p).number or 0.0 for p in points] + [a.number or 0.0 for a, _ in others]
        ys = [_y(study, p).number or 0.0 for p in points] + [b.number or 0.0 for _, b in others]
        x, y = Axis(*around(xs, pad=0.12)), Axis(*around(ys, pad=0.15))
        plot = Plot(x, y, study.words.style, height=340)
        plot.grid()
        for a, b in others:
            plot.dot(a.number or 0.0, b.number or 0.0, radius=4, kind="dot other", extra=attributes(a))
        most = max((p["seconds"].number or 0.0 for p in points), default=0.0) or 1.0
        for point in sorted(points, key=lambda p: -(p["seconds"].number or 0.0)):
            self._mark(study, plot, point, most)
        for point in points:
            kind = "letter chosen" if self._chosen(study, point) else "letter"
            plot.note(_x(study, point).number or 0.0, _y(study, point).number or 0.0, letters[point.pointer], kind=kind)
        return plot

    @staticmethod
    def _chosen(study: Study, point: Node) -> bool:
        return bool(point["trial"].raw == study.root["winner"]["trial"].raw)

    def _mark(self, study: Study, plot: Plot, point: Node, most: float) -> None:
        place = (_x(study, point).number or 0.0, _y(study, point).number or 0.0)
        radius = 9 + 9 * math.sqrt(max(point["seconds"].number or 0.0, 0.0) / most)
        kind = "dot front chosen" if self._chosen(study, point) else "dot front"
        plot.dot(*place, radius=radius, kind=kind, extra=attributes(_x(study, point)))

    @staticmethod
    def _row(study: Study, i: int, point: Node) -> tuple[Markup | str, ...]:
        fig, quote = study.figures.figure, study.figures.quote
        trial = study.trial(point["trial"])
        chosen = point["trial"].raw == study.root["winner"]["trial"].raw
        name = quote(trial["name"] if trial["name"] else point["trial"], 80)
        return (
            LETTERS[i],
            study.words.say("chart.frontier.chosen", name=name) if chosen else name,
            fig(_x(study, point)),
            fig(_y(study, point)),
            fig(point["seconds"], form="seconds"),
            quote(point["why"], 120),
        )


def _x(study: Study, point: Node) -> Node:
    """Return the quality of a point, in the unit of its trial's measurement where there is one."""
    measured = study.trial(point["trial"])["selection"][study.root["metric"]["name"].text]["value"]
    return measured if measured.number is not None else point["quality"]


def _y(study: Study, point: Node) -> Node:
    """Return the robustness of a point, in the unit of its trial's measurement where there is one."""
    measured = study.trial(point["trial"])["robustness"]["value"]
    return measured if measured.number is not None else point["robustness"]
