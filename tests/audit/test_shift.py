from __future__ import annotations

from dataclasses import replace

import numpy as np

from temperance.audit.context import Context
from temperance.audit.shift import Shift
from temperance.records.schema import Rows


def contexts(table, change, make_roles):
    half = len(table) // 2
    order = np.random.default_rng(0).permutation(len(table))
    main, test = table.take(order[:half]), table.take(order[half:])
    test = replace(test, rows=Rows(change(test.rows.numeric), test.rows.categorical))
    roles = replace(make_roles(half), test=np.arange(len(test)), test_is_separate=True)
    return Context(main, roles, test)


def test_a_moved_test_file_is_flagged(bundled, make_roles):
    finding = Shift().inspect(contexts(bundled("breast_cancer"), lambda X: X + X.std(axis=0), make_roles))
    assert finding.state == "look_at_this"
    assert finding.evidence["auc"] > 0.8


def test_a_test_file_of_the_same_kind_is_not(bundled, make_roles):
    finding = Shift().inspect(contexts(bundled("breast_cancer"), lambda X: X, make_roles))
    assert finding.state == "no_problem_found"
    assert (finding.confidence["found"], finding.confidence["false_alarms"]) == (1, 0)


def test_new_categories_are_named(make_table, make_roles):
    g = np.random.default_rng(0)
    words = {"w": ["a", "b"] * 50 + ["c"] * 50}
    table = make_table(g.random((150, 2)), g.integers(2, size=150), words=words)
    roles = replace(make_roles(100, test=0), test=np.arange(50), test_is_separate=True)
    finding = Shift().inspect(Context(table.take(np.arange(100)), roles, table.take(np.arange(100, 150))))
    assert finding.evidence["columns"] == ["w"]


def test_a_random_part_of_one_file_is_not_tested(bundled, make_context):
    assert "random part" in Shift().unsuited(make_context(bundled("breast_cancer")))
