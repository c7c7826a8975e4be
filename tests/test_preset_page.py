"""What docs/presets.md says of the record."""

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    yield importlib.import_module("preset_page")
    for name in ("preset_page", "card_effects", "card_figures"):
        sys.modules.pop(name, None)


@pytest.fixture
def records(tmp_path):
    """Write a record: ``lm`` lowers the loss by about 0.1 on one set, and raises it on another."""
    by = {"plain": [1.0, 1.1, 1.2], "preset": [0.9, 0.99, 1.11], "other": [0.1, 0.1, 0.1]}
    cells = {
        f"lm / set a / {name}": {"seeds": {str(s): {"loss": loss} for s, loss in enumerate(row)}}
        for name, row in by.items()
    }
    worse = {"plain": [1.0, 1.0], "preset": [1.5, 1.51]}
    cells |= {
        f"lm / set b / {name}": {"seeds": {str(s): {"loss": loss} for s, loss in enumerate(row)}}
        for name, row in worse.items()
    }
    (tmp_path / "once.json").write_text(json.dumps({"cells": cells}))
    return tmp_path


def test_pairs_are_by_seed_and_losses_are_said_too(page, records) -> None:
    text = "\n".join(page.evidence("lm", records))
    assert "| set a | **-0.100 [" in text
    assert "| set b | **+0.505 [" in text
    assert "better on 1, worse on 1, not clearly either on 0 of 2." in text


def test_without_a_record_it_says_so(page, records) -> None:
    assert page.evidence("gan", records) == [page.NOTHING]
    assert "No evidence here" in page.NOTHING


def test_no_gain_is_said(page, records) -> None:
    kept = json.loads((records / "once.json").read_text())
    kept["cells"] = {name: row for name, row in kept["cells"].items() if "set b" in name}
    (records / "once.json").write_text(json.dumps(kept))
    assert "could not confirm a gain" in page.evidence("lm", records)[-1]
