from __future__ import annotations

import math

import pytest

from temperance.report.figures import Figures, attributes, clip, work_out
from temperance.report.node import Node
from temperance.report.words import Words

ROOT = Node(
    {
        "m": {"value": 0.9375, "low": 0.91, "high": 0.96},
        "bare": {"value": 2.0},
        "list": [{"check": "a:b", "state": "s"}, {"check": "a:b", "state": "t"}],
        "trials": [{"status": "done"}, {"status": "failed"}],
        "t": "<b> `x`",
        "when": "2026-11-23",
        "bad": math.inf,
    }
)


@pytest.fixture
def figures() -> Figures:
    return Figures(Words())


def test_a_figure_carries_its_source(figures: Figures) -> None:
    made = figures.figure(ROOT["m"]["value"], form="hundred")
    assert made.startswith('<data value="0.9375" data-path="/m/value" data-form="hundred"')
    assert made.endswith(">94</data>")
    assert figures.shown[0].path == "/m/value"
    assert figures.shown[0].exact == "0.9375"


@pytest.mark.parametrize("name", ["nothing", "t", "bad"])
def test_what_is_not_a_number_is_said_to_be_missing(figures: Figures, name: str) -> None:
    assert "not measured" in figures.figure(ROOT[name])
    assert figures.shown == []


def test_rules_work_out_counts() -> None:
    assert work_out("length", ROOT["list"].raw) == 2
    assert work_out("length", None) == 0
    assert work_out("absolute", -2.0) == 2.0
    assert work_out("status:done", ROOT["trials"].raw) == 1
    assert work_out("check:a:b:s", ROOT["list"].raw) == 1
    assert work_out("value", math.nan) is None


def test_a_worked_out_figure_names_its_rule(figures: Figures) -> None:
    assert 'data-rule="length"' in figures.figure(ROOT["list"], form="count", rule="length")


def test_an_interval_has_one_count_of_decimals(figures: Figures) -> None:
    text = figures.interval(ROOT["m"])
    assert all(part in text for part in (">0.938<", ">0.910<", ">0.960<"))
    assert ">91.0<" in figures.interval(ROOT["m"], form="percent")


def test_an_interval_without_ends_is_its_value(figures: Figures) -> None:
    assert "range" not in figures.interval(ROOT["bare"])


def test_texts_are_escaped_and_code_is_set_as_code(figures: Figures) -> None:
    made = figures.quote(ROOT["t"])
    assert made == '<bdi data-path="/t">&lt;b&gt; <code>x</code></bdi>'
    assert figures.quote(ROOT["t"], code=True).startswith('<code data-path="/t">')
    assert "not measured" in figures.quote(ROOT["nothing"])


def test_long_texts_are_cut() -> None:
    assert clip("a " * 1000, 20) == "a a a a a a a a a a…"
    assert clip("short\n text") == "short text"


def test_keys_and_dates_are_tied_too(figures: Figures) -> None:
    assert figures.key(ROOT["m"]) == '<bdi data-path="/m" data-rule="key">m</bdi>'
    assert figures.date(ROOT["when"]) == '<time data-path="/when" data-rule="date">23 November 2026</time>'
    assert "not measured" in figures.date(ROOT["nothing"])


def test_marks_of_charts_are_tied_to_values() -> None:
    assert attributes(ROOT["m"]["low"]) == ' data-path="/m/low" data-value="0.91"'
