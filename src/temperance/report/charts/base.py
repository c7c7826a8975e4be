"""What every chart shares: axes, marks placed in percent, and the frame with its title, description and table.

Marks stand at percentages of the plot, so a chart fills any width while letters and dots keep their size; lines live in
a nested SVG that is stretched with strokes of constant width. No ``style`` attribute is used: the page forbids them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup, escape

from temperance.report.forms import FORMS, Style

if TYPE_CHECKING:
    from temperance.report.base import Html, Study

Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """A range of values; it grows to the right or to the top."""

    low: float
    high: float
    form: str = "number"

    def at(self, value: float) -> float:
        """Place of a value in percent of the axis."""
        share = 0.5 if self.high == self.low else (value - self.low) / (self.high - self.low)
        return round(100 * share, 3)

    def ticks(self, count: int = 4) -> list[float]:
        """Round values within the range, about ``count`` of them."""
        width = (self.high - self.low) / count
        if not math.isfinite(width) or width <= 0:
            return [self.low]
        power = 10.0 ** math.floor(math.log10(width))
        steps = [s * p for p in (power * 10, power, power / 10) for s in (5, 2, 1)]
        return next((found for step in steps if len(found := self._multiples(step)) >= count), [self.low])

    def _multiples(self, step: float) -> list[float]:
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) for i in range(first, min(last, first + 12) + 1)]


def around(
    values: Iterable[float], *, pad: float = 0.08, floor: float | None = None, top: float | None = None
) -> Point:
    """Return a range that holds the values with some air, within ``floor`` and ``top``."""
    kept = list(values) or [0.0, 1.0]
    low, high = min(kept), max(kept)
    air = pad * (high - low) or 0.05 * abs(high) or 0.5
    low, high = low - air, high + air
    return (low if floor is None else max(low, floor)), (high if top is None else min(high, top))


def tag(name: str, *inner: str | Markup, **attributes: object) -> Markup:
    """Build an element; ``class_`` and ``stroke_width`` lose and change their underscores."""
    given = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), given, Markup("").join(escape(i) for i in inner))


def pct(value: float) -> str:
    """Write a percentage for an SVG attribute."""
    return f"{value:g}%"


@dataclass
class Plot:
    """One pair of axes that marks are drawn on."""

    x: Axis
    y: Axis
    style: Style
    height: int = 280
    marks: list[Markup] = field(default_factory=list)

    def grid(self, *, x_ticks: Sequence[float] | None = None, count: int = 4) -> None:
        """Draw hairlines and tick labels."""
        for value in self.y.ticks(count):
            place = pct(100 - self.y.at(value))
            self.marks.append(tag("line", x1="0%", x2="100%", y1=place, y2=place, class_="grid"))
            self.marks.append(
                tag("text", self._label(value, self.y), x="0", y=place, dx=-8, dy="0.32em", class_="tick end")
            )
        for value in self.x.ticks(count) if x_ticks is None else x_ticks:
            place = pct(self.x.at(value))
            self.marks.append(tag("line", x1=place, x2=place, y1="100%", y2="100%", class_="grid"))
            self.marks.append(tag("text", self._label(value, self.x), x=place, y="100%", dy=18, class_="tick middle"))

    def _label(self, value: float, axis: Axis) -> str:
        text = f"{value:g}" if axis.form == "number" and abs(value) < 1e4 else FORMS[axis.form](value)
        return self.style.mark(text)

    def line(self, points: Sequence[Point], kind: str = "line") -> None:
        """Draw a line through points given in values."""
        path = " ".join(f"{self.x.at(a):g},{100 - self.y.at(b):g}" for a, b in points)
        self._stretched(tag("polyline", points=path, class_=kind, vector_effect="non-scaling-stroke"))

    def band(self, upper: Sequence[Point], lower: Sequence[Point]) -> None:
        """Shade between two lines."""
        path = " ".join(f"{self.x.at(a):g},{100 - self.y.at(b):g}" for a, b in [*upper, *reversed(lower)])
        self._stretched(tag("polygon", points=path, class_="band"))

    def _stretched(self, shape: Markup) -> None:
        self.marks.append(
            tag(
                "svg",
                shape,
                viewBox="0 0 100 100",
                preserveAspectRatio="none",
                width="100%",
                height="100%",
                class_="stretch",
            )
        )

    def dot(self, x: float, y: float, *, radius: float = 4, kind: str = "dot", extra: Markup = Markup("")) -> None:  # noqa: B008
        """Draw a circle; ``extra`` ties it to its value."""
        made = Markup('<circle cx="{}" cy="{}" r="{:.1f}" class="{}"{}></circle>')
        self.marks.append(made.format(pct(self.x.at(x)), pct(100 - self.y.at(y)), radius, kind, extra))

    def note(self, x: float, y: float, text: str, *, kind: str = "note", dx: float = 0, dy: str = "0.35em") -> None:
        """Write a short text at a place."""
        place = {"x": pct(self.x.at(x)), "y": pct(100 - self.y.at(y))}
        self.marks.append(tag("text", text, **place, dx=dx, dy=dy, class_=kind))

    def svg(self, name: str, title: str, desc: str) -> Markup:
        """Close the drawing."""
        head = (tag("title", title, id=f"{name}-t"), tag("desc", desc, id=f"{name}-d"))
        return tag(
            "svg",
            *head,
            *self.marks,
            class_="plot",
            width="100%",
            height=self.height,
            role="img",
            aria_labelledby=f"{name}-t {name}-d",
        )


@dataclass(frozen=True)
class Panel:
    """One drawing of a figure: its SVG, its heading (for small multiples) and the labels of its axes."""

    svg: Markup
    heading: str | Markup = ""
    x_label: str | Markup = ""
    y_label: str | Markup = ""


@dataclass(frozen=True)
class Figure:
    """A chart ready for its frame: caption, drawings, key, and the table behind them."""

    name: str
    caption: Markup
    panels: tuple[Panel, ...]
    head: tuple[Markup, ...]
    rows: tuple[tuple[Markup | str, ...], ...]
    more: int = 0
    key: Markup = Markup("")  # noqa: RUF009


@dataclass(frozen=True)
class Chart(ABC):
    """A kind of chart: frozen settings and one verb."""

    name: ClassVar[str]

    @abstractmethod
    def figure(self, study: Study) -> Figure | None:
        """Return the chart of this study, or None where the study has nothing to draw."""

    def draw(self, study: Study) -> Html:
        """Return the chart in its frame; empty where there is nothing to draw."""
        made = self.figure(study)
        return Markup("") if made is None else study.template("chart.html.j2", chart=made)


CAP = 20  # rows of a table that are printed


def thinned(count: int, limit: int = CAP) -> list[int]:
    """Return at most ``limit`` indices of ``count`` items, evenly spread, the first and last among them."""
    if count <= limit:
        return list(range(count))
    return sorted({round(i * (count - 1) / (limit - 1)) for i in range(limit)})
