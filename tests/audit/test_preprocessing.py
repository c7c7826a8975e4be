from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.preprocessing import Preprocessing


def numbers(seed=0):
    g = np.random.default_rng(seed)
    return 5 + 3 * g.standard_normal((300, 5)), g.integers(2, size=300)


@pytest.mark.parametrize("how", ["standardized", "from 0 to 1", "filled"])
def test_traces_are_asked_about(how, make_table, make_context):
    X, y = numbers()
    if how == "standardized":
        X = (X - X.mean(axis=0)) / X.std(axis=0)
    elif how == "from 0 to 1":
        X = (X - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0))
    else:
        X[:20, 1] = X[20:, 1].mean()
    finding = Preprocessing().inspect(make_context(make_table(X, y)))
    assert finding.state == "look_at_this"
    assert finding.evidence["examples"][0]["trace"] == how
    assert finding.evidence["k"] == (1 if how == "filled" else 5)


def test_plain_numbers_and_scaling_by_some_rows_are_silent(make_table, make_context):
    X, y = numbers()
    finding = Preprocessing().inspect(make_context(make_table(X, y)))
    assert finding.state == "no_problem_found"
    assert finding.confidence["found"] == finding.confidence["planted"] == 9
    assert finding.confidence["false_alarms"] == 0
    some = X[:240]
    finding = Preprocessing().inspect(make_context(make_table((X - some.mean(axis=0)) / some.std(axis=0), y)))
    assert finding.state == "no_problem_found"


def test_counts_and_few_values_are_no_trace():
    g = np.random.default_rng(0)
    assert Preprocessing().trace(g.integers(3, size=500).astype(float)) == ""
    assert Preprocessing().trace(np.repeat([1.0, 2.0, 3.0], 100)) == ""
    assert Preprocessing().trace(np.full(20, np.nan)) == ""
