from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit.context import Context
from temperance.audit.values import Values


@pytest.fixture(scope="module")
def learnable(make_table):
    g = np.random.default_rng(0)
    X = g.standard_normal((600, 5))
    return make_table(X, 3 * X[:, 0] + np.sin(2 * X[:, 1]) + 0.2 * g.standard_normal(600), regression=True)


def test_finds_wrong_numbers(learnable, make_roles):
    g = np.random.default_rng(1)
    y = learnable.target.copy()
    roles = make_roles(600, test=0)
    hit = g.choice(600, 20, replace=False)
    y[hit] += 15 * g.choice([-1, 1], 20)
    finding = Values().inspect(Context(replace(learnable, target=y), roles))
    found = set(finding.evidence["rows"])
    assert len(found & set(hit.tolist())) >= 18
    assert len(found - set(hit.tolist())) <= 0.02 * 600
    assert finding.state == "fix_before_use"
    assert finding.confidence["found"] >= 0.5 * finding.confidence["planted"]


def test_clean_numbers(learnable, make_context):
    finding = Values().inspect(make_context(learnable))
    assert finding.evidence["k"] <= 0.02 * finding.evidence["n"]
    assert finding.state != "fix_before_use"


def test_weak_models_give_a_list_and_no_count(bundled, make_context):
    finding = Values().inspect(make_context(bundled("diabetes")))
    assert finding.state == "not_tested"
    assert finding.evidence["k"] is None
    assert len(finding.evidence["examples"]) == 20


def test_unsuited_for_classes(bundled, make_context):
    assert "class" in Values().unsuited(make_context(bundled("wine")))
