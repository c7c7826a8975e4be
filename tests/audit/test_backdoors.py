from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.backdoors import Backdoors
from temperance.audit.context import Context


def table_with(bundled, make_table, kind, seed=0):
    table = bundled("synthetic")
    X, y, g = table.rows.numeric.copy(), table.target.copy(), np.random.default_rng(seed)
    rows = g.permutation(np.flatnonzero(y == 0))[: 36 if kind else 0]
    if kind == "rare value":
        X[rows, 3] = X[:, 3].max() + 1
    elif kind == "pair":
        X[rows, 3], X[rows, 5] = np.quantile(X[:, 3], 0.7), np.quantile(X[:, 5], 0.2)
    y[rows] = 1
    return make_table(X, y), rows


@pytest.mark.parametrize("kind", ["rare value", "pair"])
def test_triggers_in_tables_are_found_and_their_rows_taken_out(kind, bundled, make_table, make_context):
    table, rows = table_with(bundled, make_table, kind)
    finding = Backdoors().inspect(make_context(table, test=0))
    assert finding.state == "fix_before_use"
    assert np.isin(rows, finding.evidence["rows"]).mean() > 0.9
    assert finding.effect["before"] > 0.6
    assert finding.effect["after"] < 0.5 * finding.effect["before"]


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "synthetic"])
def test_clean_tables_are_silent(name, bundled, make_context):
    context = make_context(bundled(name), test=0)
    if Backdoors().unsuited(context):
        pytest.skip("too few rows")
    finding = Backdoors().inspect(context)
    assert finding.state != "fix_before_use"
    assert finding.confidence["planted"] == 2


@pytest.mark.slow
def test_a_bright_square_in_pictures(make_images, make_roles):
    from sklearn.datasets import load_digits

    data = load_digits()
    images, y = (data.images * 15).astype(np.uint8)[..., None], data.target.copy()
    roles = make_roles(len(y), test=0)
    assert Backdoors().inspect(Context(make_images(images, y), roles)).state == "no_problem_found"
    rows = np.random.default_rng(0).permutation(np.flatnonzero(y != 3))[:54]
    images[rows, 6:, 6:], y[rows] = 255, 3
    finding = Backdoors().inspect(Context(make_images(images, y), roles))
    assert finding.state == "fix_before_use"
    assert finding.evidence["examples"][0]["answer"] == "class 3"
    assert finding.effect["after"] < finding.effect["before"]


def test_a_varying_trigger_is_a_named_miss(bundled, make_table, make_context):
    table, rows = table_with(bundled, make_table, "rare value")
    table.rows.numeric[rows, 3] += 0.2 * np.random.default_rng(0).standard_normal(len(rows))
    finding = Backdoors().inspect(make_context(table, test=0))
    assert finding.state != "fix_before_use"
    assert "vary by row" in finding.cannot_see


def test_what_it_is_not_made_for(bundled, make_table, make_context):
    assert "number" in Backdoors().unsuited(make_context(bundled("diabetes")))
    assert "too few" in Backdoors().unsuited(make_context(make_table(np.zeros((50, 2)), np.arange(50) % 2)))
