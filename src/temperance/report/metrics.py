"""How a metric is named, written and compared, in the words of the report."""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup

from temperance.report.base import Study
from temperance.report.forms import fitted
from temperance.report.node import Node

SHARES = frozenset({"accuracy", "balanced_accuracy", "interval_coverage", "coverage"})
Standing = Literal["better", "unclear", "worse", "unknown"]


def form_of(metric: str) -> str:
    """Return the form of a metric: shares in percent, all others as they are."""
    return "percent" if metric in SHARES else "number"


def named(text: Markup) -> Markup:
    """Begin a name with a capital letter, where it stands at the start of a line."""
    return Markup(text[:1].upper()) + text[1:]


def metric_name(study: Study, node: Node) -> Markup:
    """Name the metric that a measurement stands under."""
    known = f"metric.{node.key}"
    return study.words.say(known) if study.words.knows(known) else study.figures.key(node)


def metric_text(study: Study, node: Node) -> Markup:
    """Name the metric that a text node gives."""
    known = f"metric.{node.text}"
    return study.words.say(known) if study.words.knows(known) else study.figures.quote(node, 60)


def direction(study: Study, better: str) -> Markup:
    """Say which direction is better."""
    return study.words.say(f"better.{better if better in ('higher', 'lower') else 'neither'}")


def standing(ours: Node, theirs: Node) -> Standing:
    """Compare two measurements of one metric by their intervals: a difference counts when they do not overlap."""
    a, b = ours["value"].number, theirs["value"].number
    if a is None or b is None or ours["better"].raw not in ("higher", "lower"):
        return "unknown"
    lows = [x["low"].number if x["low"].number is not None else x["value"].number for x in (ours, theirs)]
    highs = [x["high"].number if x["high"].number is not None else x["value"].number for x in (ours, theirs)]
    if None in lows or None in highs:
        return "unknown"
    above, below = float(lows[0] or 0) > float(highs[1] or 0), float(highs[0] or 0) < float(lows[1] or 0)
    if not above and not below:
        return "unclear"
    return "better" if above == (ours["better"].raw == "higher") else "worse"


def verdict_of(difference: Node) -> Standing:
    """Judge a paired difference by its interval: only one that leaves out zero counts."""
    value, low, high = (difference[part].number for part in ("value", "low", "high"))
    if value is None or low is None or high is None or difference["better"].raw not in ("higher", "lower"):
        return "unknown"
    if low <= 0 <= high:
        return "unclear"
    return "better" if (value > 0) == (difference["better"].raw == "higher") else "worse"


def gainsaid(study: Study, verdict: str) -> Node:
    """Return a comparison with and without regularization that clearly says otherwise than ``verdict``, or nothing."""
    clear = [b for b in study.root["winner"]["bought"] if verdict_of(b["difference"]) in ("better", "worse")]
    other = [b for b in clear if verdict_of(b["difference"]) != verdict]
    return other[0] if other and verdict in ("better", "worse", "unclear", "overlap") else Node(None, "/winner/bought")


def moved(study: Study, difference: Node, form: str) -> Markup:
    """Write a difference in words: ``0.03 lower (0.01 lower to 0.05 lower)``; the sign becomes a word."""

    def worded(end: str) -> Markup:
        value = difference[end].number
        if value is None:
            return study.figures.absent()
        size = study.figures.figure(difference[end], form=size_form, rule="absolute", listed=end == "value")
        way = "higher" if value > 0 else "lower" if value < 0 else "same"
        return study.words.say(f"moved.{way}.points" if form == "percent" else f"moved.{way}", size=size)

    low, high = difference["low"].number, difference["high"].number
    size_form = "points" if form == "percent" else form
    if form == "number" and low is not None and high is not None:
        size_form = fitted("number", low, high)
    if low is None or high is None:
        return worded("value")
    return study.words.say("interval", value=worded("value"), low=worded("low"), high=worded("high"))


def main_test(study: Study) -> Node:
    """Return the measurement that the answer is told in: costs, accuracy, RMSE, else the study's own metric.

    Under costs the share of right answers is none of the model's aims: a rule with fewer of them may be the better one.
    """
    test = study.root["winner"]["test"]
    wanted = ("rmse", "mae") if study.regression else ("expected_cost", "accuracy", "balanced_accuracy")
    for name in (*wanted, study.root["metric"]["name"].text):
        if test[name]["value"].number is not None:
            return test[name]
    return next((m for m in test if m["value"].number is not None), Node(None, "/winner/test"))
