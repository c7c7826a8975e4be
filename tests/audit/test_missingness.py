from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from temperance.audit.missingness import Missingness, association, discoveries


@pytest.mark.parametrize("regression", [False, True])
def test_finds_gaps_that_depend_on_the_answer(regression, make_table, make_context):
    g = np.random.default_rng(0)
    X, y = g.standard_normal((1500, 10)), g.random(1500)
    high = y > 0.5
    for j in range(5):
        X[g.random(1500) < np.where(high, 0.3, 0.1), j] = np.nan
        X[g.random(1500) < 0.2, 5 + j] = np.nan
    table = make_table(X, y if regression else high, regression=regression)
    finding = Missingness().inspect(make_context(table))
    assert set(finding.evidence["columns"]) == {f"x{j}" for j in range(5)}
    assert finding.state == "look_at_this"
    assert finding.confidence["found"] >= 19
    assert finding.confidence["false_alarms"] <= 1


def test_empty_categories_count_as_gaps(make_table, make_context):
    g = np.random.default_rng(0)
    y = g.integers(2, size=600)
    word = ["" if (a and g.random() < 0.5) else "w" for a in y]
    finding = Missingness().inspect(make_context(make_table(g.random((600, 1)), y, words={"note": word})))
    assert finding.evidence["columns"] == ["note"]
    assert finding.evidence["examples"][0]["missing_by_answer"]["class 0"] == 0


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes"])
def test_complete_data_are_fine(name, bundled, make_context):
    finding = Missingness().inspect(make_context(bundled(name)))
    assert finding.state == "no_problem_found"
    assert "enough gaps" in finding.title


def test_association_agrees_with_scipy():
    g = np.random.default_rng(0)
    gap, y = g.random(500) < 0.3, g.integers(3, size=500)
    counts = np.stack([np.bincount(y[gap], minlength=3), np.bincount(y[~gap], minlength=3)])
    expected = chi2_contingency(counts, correction=False)
    p, effect = association(gap, y)
    assert p == pytest.approx(expected.pvalue)
    assert effect == pytest.approx(np.sqrt(expected.statistic / 500))
    assert association(np.zeros(5, bool), y[:5]) == (1.0, 0.0)


def test_discoveries_by_hand():
    # limits at rate 0.05 with 4 tests: .0125 .025 .0375 .05; the third passes, so the first three are accepted
    assert sorted(discoveries([0.03, 0.01, 0.036, 0.9], rate=0.05)) == [0, 1, 2]
    assert discoveries([], rate=0.05) == []
