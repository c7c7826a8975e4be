from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from temperance import audit
from temperance.audit import CHECKS
from temperance.audit.base import Check
from temperance.data import read, split
from temperance.data.choices import Choices
from temperance.records.errors import DataError, SettingError
from temperance.records.finding import STATES, Finding


@pytest.fixture(scope="module")
def small(make_table):
    g = np.random.default_rng(0)
    words = {"city": g.choice(["", "a", "b"], 240).tolist(), "email": ["x"] * 240}
    return make_table(g.standard_normal((240, 4)), g.integers(2, size=240), words=words)


@pytest.fixture(scope="module")
def findings(small, make_roles):
    return audit.inspect(small, make_roles(240))


def test_every_check_reports_and_is_timed(findings):
    assert {f.check for f in findings} == {cls.name for _, cls in CHECKS.items()}
    assert all(f.state in STATES for f in findings)
    assert all(f.cost_seconds >= 0 for f in findings)
    assert len({f.id for f in findings}) == len(findings)


def test_findings_survive_json(findings):
    for finding in findings:
        assert Finding.from_dict(json.loads(json.dumps(finding.to_dict()))) == finding


def test_what_cannot_be_tested_says_why(findings):
    skipped = {f.check: f for f in findings if f.state == "not_tested"}
    assert "no images" in skipped["image_duplicates"].title
    assert all(f.confidence["gate_reason"] for f in skipped.values())


def test_statistical_checks_tell_how_they_did_on_planted_faults(findings):
    for finding in findings:
        if finding.state != "not_tested" and finding.check not in ("imbalance",) and finding.id != "duplicates:inside":
            assert finding.confidence["self_test"].endswith("."), finding.id
            assert 0 <= finding.confidence["found"] <= finding.confidence["planted"]


def syllables(word):
    return max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower()))))


def test_texts_are_easy_to_read(findings):
    """Flesch-Kincaid grade ≤ 9 and at most 20 words a sentence on average, over all that a layperson reads."""
    text = " ".join(" ".join([f.title, f.why, *f.action, f.cannot_see]) for f in findings)
    text = re.sub(r"'[^']*'", "it", text)
    sentences = [s for s in re.split(r"[.?!:]\s", text) if s.strip()]
    words = re.findall(r"[A-Za-z]+", text)
    grade = 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    assert len(words) / len(sentences) <= 20
    assert grade <= 9


def test_same_seed_same_findings(small, make_roles, findings):
    again = audit.inspect(small, make_roles(240))
    assert [replace(f, cost_seconds=0) for f in again] == [replace(f, cost_seconds=0) for f in findings]


def test_chosen_checks_by_name_and_instance(small, make_roles):
    from temperance.audit.imbalance import Imbalance

    found = audit.inspect(small, make_roles(240), checks=["personal_data", Imbalance(few=1000)])
    assert [f.check for f in found] == ["imbalance", "personal_data"]
    assert found[0].state == "look_at_this"


@dataclass(frozen=True)
class Slow(Check):
    name: ClassVar[str] = "slow"
    label: ClassVar[str] = "patience"
    rank: ClassVar[int] = 999
    sizes: ClassVar[tuple[int | None, ...]] = (100, 50)

    def estimate(self, context, rows):
        return float(rows)

    def inspect(self, context):
        return self.finding("no_problem_found", f"{context.limit}")


def test_what_does_not_fit_the_budget_is_named(small, make_roles):
    (found,) = audit.inspect(small, make_roles(240), budget_seconds=5.0, checks=[Slow()])
    assert found.state == "not_tested"
    assert "its time was up" in found.title
    assert found.action


def test_the_largest_sample_that_fits_is_taken(small, make_roles, monkeypatch):
    monkeypatch.setattr("temperance.audit.inspection.pace", lambda: 1.0)
    assert audit.inspect(small, make_roles(240), budget_seconds=300.0, checks=[Slow()])[0].title == "100"
    assert audit.inspect(small, make_roles(240), budget_seconds=80.0, checks=[Slow()])[0].title == "50"
    assert audit.inspect(small, make_roles(240), checks=[Slow()])[0].title == "100"


def test_errors_name_what_is_accepted(small, make_roles):
    with pytest.raises(SettingError, match="above 0"):
        audit.inspect(small, make_roles(240), budget_seconds=0)
    with pytest.raises(SettingError, match="Duplicates"):
        audit.inspect(small, make_roles(240), checks=["duplicate"])
    with pytest.raises(DataError, match="no rows"):
        audit.inspect(small.take(np.empty(0, dtype=np.int64)), make_roles(240))


@pytest.mark.parametrize(
    "kind", ["constant", "all missing", "one column", "no column", "few rows", "huge", "one class"]
)
def test_odd_tables_do_not_break_it(kind, make_table, make_roles):
    g = np.random.default_rng(0)
    X, y = g.standard_normal((120, 3)), np.arange(120) % 2
    if kind == "constant":
        X[:, 0] = 3.0
    elif kind == "one column":
        X = X[:, :1]
    elif kind == "no column":
        X = X[:, :0]
    elif kind == "few rows":
        X, y = X[:6], y[:6]
    elif kind == "huge":
        X[:, 0] *= 1e300
        X[3, 1] = np.inf
    elif kind == "one class":
        y = np.zeros(120, dtype=np.int64)
    table = make_table(X, y)
    if kind == "all missing":
        table.rows.numeric[:, 1] = np.nan
    found = audit.inspect(table, make_roles(len(y)))
    assert {f.check for f in found} == {cls.name for _, cls in CHECKS.items()}


def test_images_run_through(make_images, make_roles):
    from sklearn.datasets import load_digits

    data = load_digits()
    table = make_images((data.images[:300] * 15).astype(np.uint8)[..., None], data.target[:300])
    found = {f.check: f for f in audit.inspect(table, make_roles(300))}
    assert found["image_duplicates"].state != "not_tested"
    assert found["duplicates"].state == "not_tested"
    assert found["labels"].evidence["n"] > 0


def test_import_is_light():
    code = "import sys, temperance.audit; print([m for m in ('sklearn', 'scipy', 'torch') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.slow
def test_budget_is_kept_on_a_large_table(make_table, make_roles):
    g = np.random.default_rng(0)
    X = g.standard_normal((50_000, 20))
    table = make_table(X, (X[:, 0] + g.standard_normal(50_000) > 0).astype(int))
    start = time.perf_counter()
    found = audit.inspect(table, make_roles(50_000), budget_seconds=5.0)
    assert time.perf_counter() - start < 6.0
    done = {f.check for f in found if f.state != "not_tested"}
    assert done >= {"duplicates", "leaks", "identifiers", "imbalance", "personal_data", "missingness", "conflicts"}


def leak_title(table):
    found = audit.inspect(table, split(table, seed=0), checks=["leaks"])
    return found[0].title


def test_series_and_texts_count_as_the_columns_that_they_are_in_the_file():
    g = np.random.default_rng(0)
    series = {"series": g.normal(size=(90, 2, 30)), "y": np.arange(90) % 3}
    assert (
        leak_title(read((series["series"], series["y"])).table) == "None of 2 columns gives the answer away by itself."
    )
    words = [" ".join(g.choice(["red", "blue", "green", "old", "new"], 6)) for _ in range(90)]
    frame = {"note": words, "x": g.normal(size=90).tolist(), "y": (["a", "b", "b"] * 30)}
    assert leak_title(read(frame, target="y").table) == "None of 2 columns gives the answer away by itself."


def test_what_a_forecast_knows_by_its_making_is_no_leak():
    hours = np.arange(600)
    day = {"when": [f"2024-01-{1 + h // 24:02d} {h % 24:02d}:00" for h in hours]}
    load = 50 * np.sin(hours * np.pi / 12) + 0.01 * np.random.default_rng(0).normal(size=600)
    frame = {**day, "load": load.tolist(), "twin": (load * 2).tolist()}
    table = read(frame, target="load", time="when", choices=Choices(lags=(24,), horizon=24)).table
    found = audit.inspect(table, split(table, seed=0), checks=["leaks"])
    assert [one.evidence["columns"] for one in found] == [["twin"]]
