"""Rows of one value with its interval on a shared axis: the chart is a table, so it needs no second one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from temperance.report.charts.base import Axis, around, pct, tag
from temperance.report.figures import attributes
from temperance.report.forms import FORMS
from temperance.report.node import Node

if TYPE_CHECKING:
    from temperance.report.base import Html, Study


@dataclass(frozen=True)
class Row:
    """One line: label, measurement, an optional last cell, how it is marked (``ours``, ``worse`` …), its form."""

    label: Markup
    measurement: Node
    note: Markup = Markup("")  # noqa: RUF009
    kind: str = ""
    form: str = ""


@dataclass(frozen=True)
class Strip:
    """Settings of the strip: caption, headings, form of the figures, a line to compare with."""

    caption: Markup
    head: tuple[Markup, ...]
    form: str = "number"
    reference: float | None = None
    shared: bool = True

    def draw_parts(self, study: Study, rows: Sequence[Row], first: int) -> tuple[Html, Html]:
        """Return the table of the first rows and that of the others, on one scale; empty where there are none."""
        return self.draw(study, rows[:first], scale=rows), self.draw(study, rows[first:], scale=rows)

    def draw(self, study: Study, rows: Sequence[Row], scale: Sequence[Row] = ()) -> Html:
        """Return the table; empty without rows. The axis spans the rows of ``scale``, by default those drawn."""
        kept = [row for row in rows if row.measurement["value"].number is not None]
        if not kept:
            return Markup("")
        axis = self._axis([row for row in scale if row.measurement["value"].number is not None] or kept)
        drawn = [(row, self._bar(row, axis if self.shared else self._axis([row]))) for row in kept]
        ticks = [(study.words.style.mark(self._tick(t)), pct(axis.at(t))) for t in axis.ticks(3)] if self.shared else []
        return study.template("strip.html.j2", strip=self, rows=drawn, ticks=ticks)

    def _tick(self, value: float) -> str:
        return FORMS["tick_percent"](value) if self.form == "percent" else f"{value:g}"

    def _axis(self, rows: Sequence[Row]) -> Axis:
        ends = [row.measurement[end].number for row in rows for end in ("value", "low", "high")]
        values = [end for end in ends if end is not None]
        if self.reference is not None:
            values.append(self.reference)
        share = self.form == "percent" and min(values) >= 0
        low, high = around(values, pad=0.12, floor=0.0 if share else None, top=1.0 if share else None)
        return Axis(low, high)

    def _bar(self, row: Row, axis: Axis) -> Markup:
        value, low, high = (row.measurement[end].number for end in ("value", "low", "high"))
        marks = []
        if self.reference is not None:
            at = pct(axis.at(self.reference))
            marks.append(tag("line", x1=at, x2=at, y1="0%", y2="100%", class_="reference"))
        if low is not None and high is not None:
            ends = {"x1": pct(axis.at(low)), "x2": pct(axis.at(high))}
            marks.append(tag("line", **ends, y1="50%", y2="50%", class_=f"whisker {row.kind}"))
        place = pct(axis.at(value or 0.0))
        made = Markup('<circle cx="{}" cy="50%" r="5" class="dot {}"{}></circle>')
        marks.append(made.format(place, row.kind, attributes(row.measurement["value"])))
        return tag("svg", *marks, class_="strip", width="100%", height=22, aria_hidden="true", focusable="false")
