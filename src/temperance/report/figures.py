"""The only way a value of the study reaches the page: with its source beside it.

A figure becomes ``<data value="0.94" data-path="/winner/test/accuracy/value" data-form="hundred">94</data>``; one that
is worked out, such as a count, names its ``data-rule``. A text of the study becomes
``<span data-path=…>``. A test reads the page back and works out each of them again from ``study.json``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from temperance.records.finding import state_of
from temperance.report.forms import date, fitted, form_named
from temperance.report.node import Node
from temperance.report.told import told
from temperance.report.words import Words

RULES: dict[str, Callable[..., Any]] = {
    "value": lambda value: value,
    "length": lambda items: len(items or ()),
    "absolute": abs,
    "total": lambda items: float(sum(items.values())),
    "status": lambda items, wanted: sum(1 for item in items or () if item.get("status") == wanted),
    "state": lambda items, wanted: sum(1 for item in items or () if state_of(item) == wanted),
    "check": lambda items, wanted: sum(1 for item in items or () if [item.get("check"), state_of(item)] == wanted),
}
WHOLE = ("length", "status", "state", "check", "total")  # rules that take a list or a table, not one number
LIMIT = 280  # letters of a text that are shown; the rest stays in study.json

TICKED = re.compile("`([^`]+)`")  # `name` in a text of the study is set as code


class Shown(NamedTuple):
    """One figure on the page, for the table of sources."""

    section: str
    text: str
    exact: str
    path: str
    rule: str


def work_out(rule: str, value: Any) -> Any:
    """Apply a rule, e.g. ``absolute`` or ``status:done``; None when the value is missing or not finite."""
    name, _, setting = rule.partition(":")
    if name not in WHOLE and not _finite(value):
        return None
    if name == "check":
        return RULES[name](value, setting.rsplit(":", 1))
    return RULES[name](value, setting) if setting else RULES[name](value)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def clip(text: str, limit: int = LIMIT) -> str:
    """Shorten a text of the study; the page stays small whatever the data holds."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


@dataclass
class Figures:
    """Writes figures and texts of a study, and remembers what it wrote."""

    words: Words
    shown: list[Shown] = field(default_factory=list)
    section: str = ""

    def figure(self, node: Node, *, form: str = "number", rule: str = "value", listed: bool = True) -> Markup:
        """Write a number of the study, or one worked out from a part of it by ``rule``."""
        value = work_out(rule, node.raw)
        if value is None:
            return self.absent()
        text = self.words.style.mark(form_named(form)(value))
        if listed:
            self.shown.append(Shown(self.section, text, json.dumps(value), node.pointer, rule))
        told = "" if rule == "value" else f" ({rule})"
        extra = Markup("") if rule == "value" else Markup(' data-rule="{}"').format(rule)
        return Markup('<data value="{}" data-path="{}" data-form="{}"{} title="{}">{}</data>').format(
            json.dumps(value),
            node.pointer,
            form,
            extra,
            clip(f"study.json {node.pointer}{told}: {json.dumps(value)}"),
            text,
        )

    def interval(self, node: Node, form: str = "number", *, listed: bool = True) -> Markup:
        """Write a measurement as ``value (low to high)``; the brackets are left out where there is no interval."""
        low, high = node["low"].number, node["high"].number
        if low is None or high is None:
            return self.figure(node["value"], form=form, listed=listed)
        ends = form
        if form in ("number", "signed"):
            form = ends = fitted(form, low, high)
        elif form == "percent":
            ends = "points"
        told = [self.figure(node[end], form=ends, listed=False) for end in ("low", "high")]
        value = self.figure(node["value"], form=form, listed=listed)
        return self.words.say("interval", value=value, low=told[0], high=told[1])

    def quote(self, node: Node, limit: int = LIMIT, *, code: bool = False) -> Markup:
        """Write a text of the study, escaped, shortened, and isolated from the direction of the text around it."""
        if not node.text:
            return self.absent()
        text = str(escape(clip(node.text if code else told(node.text, self.words.language), limit)))
        mark = Markup("code") if code else Markup("bdi")
        if not code:
            text = TICKED.sub(r"<code>\1</code>", text)
        return Markup('<{0} data-path="{1}"{2}>{3}</{0}>').format(mark, node.pointer, self._limit(limit), Markup(text))

    def key(self, node: Node) -> Markup:
        """Write the name under which a value stands."""
        return Markup('<bdi data-path="{}" data-rule="key">{}</bdi>').format(node.pointer, clip(node.key, 60))

    def date(self, node: Node) -> Markup:
        """Write a date."""
        if not node.text:
            return self.absent()
        text = clip(date(node.text, self.words.style), 40)
        return Markup('<time data-path="{}" data-rule="date">{}</time>').format(node.pointer, text)

    def absent(self) -> Markup:
        """Say that a value is missing."""
        return Markup('<span class="absent">{}</span>').format(self.words.say("not_measured"))

    @staticmethod
    def _limit(limit: int) -> Markup:
        return Markup("") if limit == LIMIT else Markup(' data-limit="{}"').format(limit)


def attributes(node: Node) -> Markup:
    """Return the attributes that tie a mark of a chart to its value."""
    return Markup(' data-path="{}" data-value="{}"').format(node.pointer, escape(json.dumps(node.raw)))
