"""What the cards say of the measured effects, and the record that they rest on."""

import importlib
import json
import math
import sys
from pathlib import Path

import pytest

import temperance.regularizers  # noqa: F401  (fills the registry)
from temperance.core.regularizer import techniques

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def cards(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    yield importlib.import_module("card_effects")
    sys.modules.pop("card_effects", None)


@pytest.fixture
def record(tmp_path):
    """Write a record of one set: the loss falls by about 0.1 each seed, the accuracy goes either way."""
    plain = {str(s): {"log_loss": 0.5 + 0.1 * s, "accuracy": 0.9} for s in range(4)}
    gains = [0.1, 0.11, 0.09, 0.1]
    with_it = {str(s): {"log_loss": 0.5 + 0.1 * s - gains[s], "accuracy": 0.9 + 0.01 * (-1) ** s} for s in range(4)}
    refused = {"0": {"refused": "no classes"}}
    cells = {"a / nothing": plain, "a / Mine": with_it, "b / Mine": refused, "b / nothing": {"0": {"rmse": 1.0}}}
    path = tmp_path / "effects.json"
    path.write_text(json.dumps({"problems": {"a": "set a", "b": "set b"}, "cells": cells}))
    return path


def test_pairs_the_seeds(cards, record) -> None:
    change = cards.changes("Mine", json.loads(record.read_text()))["a"]["log_loss"]
    half = 3.182446 * math.sqrt(2 * 0.01**2 / 3) / 2  # Student's t with 3 degrees of freedom, by hand
    assert change.mean == pytest.approx(-0.1)
    assert change.high - change.mean == pytest.approx(half, rel=1e-6)
    assert change.verdict == "better"
    assert change.seeds == 4


def test_a_card_says_what_is_clear_and_what_refused(cards, record) -> None:
    text = "\n".join(cards.effect_lines("Mine", record))
    assert "| set a | " in text
    assert "**-0.100 [-0.113, -0.087]** better" in text
    assert "cannot act on, and says so: set b" in text
    assert "better on 1, worse on 0, no clear difference on 0 of 1" in text
    assert cards.cell("Mine", record) == "1 / 0 / 0"


def test_no_gain_is_said(cards, record) -> None:
    kept = json.loads(record.read_text())
    kept["cells"]["a / Other"] = kept["cells"]["a / nothing"]
    record.write_text(json.dumps(kept))
    assert "could not confirm a gain" in "\n".join(cards.effect_lines("Other", record))


def test_nothing_measured_is_nothing_said(cards, record, tmp_path) -> None:
    assert cards.effect_lines("Unknown", record) == []
    assert cards.cell("Unknown", tmp_path / "none.json") == ""


def test_the_record_covers_every_technique(cards) -> None:
    kept = json.loads(cards.RECORD.read_text())
    own = [name for name, cls in techniques.items() if cls.__module__.startswith("temperance.")]
    assert [name for name in own if not cards.changes(name, kept)] == []
