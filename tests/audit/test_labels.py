from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit.context import Context
from temperance.audit.labels import Labels


def flipped(table, rows, share, *, one_way, seed):
    g = np.random.default_rng(seed)
    y, classes = table.target.copy(), len(table.schema.target.classes)
    pool = rows[y[rows] == 1] if one_way else rows
    hit = g.choice(pool, round(share * len(pool)), replace=False)
    y[hit] = 0 if one_way else (y[hit] + g.integers(1, classes, len(hit))) % classes
    return replace(table, target=y), hit


def precision_and_recall(finding, hit):
    found = np.array(finding.evidence["rows"])
    true = len(np.intersect1d(found, hit))
    return true / max(len(found), 1), true / len(hit)


@pytest.mark.parametrize("one_way", [False, True])
def test_finds_wrong_labels_and_knows_how_many_it_misses(one_way, bundled, make_roles):
    table = bundled("breast_cancer")
    roles = make_roles(len(table), test=0)
    table, hit = flipped(table, roles.train, 0.08 if one_way else 0.05, one_way=one_way, seed=100)
    finding = Labels(trees=20).inspect(Context(table, roles))
    precision, recall = precision_and_recall(finding, hit)
    assert recall >= 0.80
    assert precision >= 0.65 or one_way
    estimate = finding.confidence["found"] / finding.confidence["planted"]
    assert abs(estimate - recall) <= 0.15
    assert finding.state in ("fix_before_use", "look_at_this")


def test_clean_labels(bundled, make_context):
    finding = Labels(trees=20).inspect(make_context(bundled("breast_cancer")))
    assert finding.evidence["k"] <= 0.02 * finding.evidence["n"]
    assert finding.state != "fix_before_use"


def test_weak_models_give_a_list_and_no_count(make_table, make_context):
    g = np.random.default_rng(0)
    X = g.standard_normal((300, 4))
    table = make_table(X, (X[:, 0] + g.standard_normal(300) > 0).astype(int))
    finding = Labels().inspect(make_context(table))
    assert finding.state == "not_tested"
    assert finding.evidence["k"] is None
    assert len(finding.evidence["examples"]) == 20
    assert "of 100 labels" in finding.confidence["gate_reason"]


def test_unsuited_for_numbers_and_for_few_rows(bundled, make_table, make_context):
    assert "number" in Labels().unsuited(make_context(bundled("diabetes")))
    few = make_table(np.random.default_rng(0).random((40, 2)), [0, 1] * 20)
    assert "too few rows" in Labels().unsuited(make_context(few))


def test_rare_classes_are_left_out(bundled, make_table, make_context):
    table = bundled("iris")
    X, y = np.vstack([table.rows.numeric, np.full((3, 4), 9.0)]), np.concatenate([table.target, [3, 3, 3]])
    finding = Labels(trees=5).inspect(make_context(make_table(X, y), test=0))
    assert finding.evidence["n"] == 150


def test_same_seed_same_result(bundled, make_context):
    context, check = make_context(bundled("wine")), Labels(trees=5)
    assert check.inspect(context) == check.inspect(context)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "breast_cancer"])
def test_recall_precision_and_self_test_over_seeds(name, bundled, make_roles):
    """Audit research §11: recall ≥ .80, precision ≥ .65, the self-test within .08 of the recall (pooled over seeds)."""
    true = wrong = planted = found = 0
    precisions = []
    for seed in range(3):
        table = bundled(name)
        roles = make_roles(len(table), test=0)
        table, hit = flipped(table, roles.train, 0.05, one_way=False, seed=seed)
        finding = Labels().inspect(Context(table, roles, seed=seed))
        precision, recall = precision_and_recall(finding, hit)
        precisions.append(precision)
        true, wrong = true + recall * len(hit), wrong + len(hit)
        planted, found = planted + finding.confidence["planted"], found + finding.confidence["found"]
    assert true / wrong >= 0.80
    assert min(precisions) >= 0.65
    assert abs(found / planted - true / wrong) <= 0.08
