from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from temperance.records.errors import SettingError
from temperance.report.several import html, render

MEASURE = {"value": 0.42, "low": 0.31, "high": 0.55, "n": 60, "better": "lower"}
DOCUMENT = {
    "schema": 1, "temperance": "0.1.0", "created": "2026-11-30T12:00:00Z", "status": "complete", "bundle": "bundle",
    "data": {"name": "energy", "rows": 768, "target": "heat, <b>cool</b>", "path": "energy.csv", "task": "auto"},
    "outputs": [
        {"target": "heat", "folder": "1_heat", "status": "complete", "task": "regression", "winner": "boosting",
         "metric": {"name": "rmse"}, "test": {"rmse": MEASURE}, "simple": {**MEASURE, "value": 9, "low": 8, "high": 11},
         "fix_before_use": 2, "look_at_this": 0},
        {"target": "<b>cool</b>", "folder": "2_cool", "status": "waiting"},
    ],
    "together": {"mean_r2": {**MEASURE, "value": 0.97, "low": 0.96, "high": 0.98, "better": "higher"}},
}  # fmt: skip


def test_it_tells_all_together_and_each() -> None:
    page = html(DOCUMENT)
    assert 'href="outputs/1_heat/report.html"' in page
    assert "share of the spread explained, mean over targets" in page.lower()
    assert "0.97" in page
    assert "Fix before use:" in page
    assert "not begun" in page
    assert "<b>cool</b>" not in page
    assert "&lt;b&gt;cool&lt;/b&gt;" in page
    assert "temperance predict" in page
    assert "stopped early" not in page


def test_what_is_missing_is_said() -> None:
    document = deepcopy(DOCUMENT)
    document |= {"together": {}, "status": "interrupted", "bundle": None}
    document["outputs"][0]["fix_before_use"] = 0
    page = html(document)
    assert "There is no figure for all targets here" in page
    assert "stopped early" in page
    assert "Fix before use:" not in page
    assert "temperance predict" not in page


def test_it_speaks_german(tmp_path: Path) -> None:
    page = render(tmp_path, DOCUMENT, language="de").read_text(encoding="utf-8")
    assert "Alle Ziele zusammen" in page
    assert "All targets together" not in page
    assert 'lang="de"' in page
    with pytest.raises(SettingError):
        render(tmp_path, DOCUMENT, language="xx")
