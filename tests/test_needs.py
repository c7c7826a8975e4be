"""docs/techniques/by_need.md: rules find techniques, measured ones first, and every need finds some."""

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def needs(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    yield importlib.import_module("needs")
    for name in ("needs", "card_effects", "card_figures"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def rows():
    from temperance.cli.catalogue import catalogue

    return [row for row in catalogue() if row["module"].startswith("temperance.")]


def made_up(name: str, doc: str) -> dict:
    return {"name": name, "address": name.lower(), "summary": f"{name} does it.", "doc": doc}


@pytest.fixture
def records(tmp_path):
    """Write a record in which ``Good`` lowers the loss of two sets and ``Bad`` raises that of both."""
    cells = {}
    for place in ("a", "b"):
        plain = {str(s): {"log_loss": 1.0 + 0.1 * s} for s in range(3)}
        for name, change in (("nothing", 0.0), ("Good", -0.2), ("Bad", 0.2)):
            cells[f"{place} / {name}"] = {
                s: {"log_loss": r["log_loss"] + change * (1 + 0.01 * int(s))} for s, r in plain.items()
            }
    problems = {"a": "one, 30 % of the labels wrong", "b": "two, 30 % of the labels wrong"}
    (tmp_path / "effects.json").write_text(json.dumps({"problems": problems, "cells": cells}))
    prices = {"techniques": {"good": {"ratio": 1.0}, "bad": {"ratio": 3.0}}}
    (tmp_path / "prices.json").write_text(json.dumps(prices))
    return tmp_path


def test_each_need_finds_techniques(needs, rows) -> None:
    for need in needs.NEEDS:
        assert needs.found(need, rows), f"nothing is found for {need.title!r}"


def test_measured_gains_come_first_and_harm_last_even_where_the_card_praises(needs, records) -> None:
    wrong = next(need for need in needs.NEEDS if need.title == "Wrong labels")
    rows = [
        made_up("Bad", "Do it.\n\nUse when: labels are noisy.  Avoid when: never."),
        made_up("Good", "Do it.\n\nUse when: always."),
        made_up("Praised", "Do it.\n\nUse when: labels are noisy."),
        made_up("Other", "Do it.\n\nUse when: images.  Avoid when: labels are noisy."),
    ]
    found = needs.found(wrong, rows, records)
    assert [one.row["name"] for one in found] == ["Good", "Praised", "Bad"]
    assert (found[0].better, found[0].worse, found[0].card) == (2, 0, False)
    assert (found[2].better, found[2].worse, found[2].card) == (0, 2, True)
    text = "\n".join(needs.need_lines(rows, records)).partition("## Wrong labels")[2].partition("##")[0]
    assert "| [Good](good.md) | Good does it. | 2 / 0 / 0 |  | × 1.00 |" in text
    assert "[Other](other.md)" not in text


def test_haste_takes_only_what_is_cheap_and_helped(needs, records) -> None:
    haste = next(need for need in needs.NEEDS if need.cheap)
    rows = [made_up(name, "Use when: it is too slow.") for name in ("Good", "Bad", "Unpriced")]
    assert [one.row["name"] for one in needs.found(haste, rows, records)] == ["Good"]


def test_use_when_ends_where_avoid_when_begins(needs) -> None:
    doc = "Do.\n\nUse when: few rows\nare there.  Avoid when: many are.\n\nArgs:\n    a: b."
    assert needs.use_when(doc) == "few rows are there."
    assert needs.use_when("Do.") == ""


def test_each_technique_says_when_to_use_it(needs, rows) -> None:
    assert [row["name"] for row in rows if not needs.use_when(row["doc"])] == []
