from __future__ import annotations

from dataclasses import replace

import numpy as np

from temperance.audit.group_leak import GroupLeak, grouped_folds


def people(seed=0, marked=True):
    g = np.random.default_rng(seed)
    who = g.integers(60, size=600)
    y = g.integers(2, size=60)[who] if marked else g.integers(2, size=600)
    X = g.standard_normal((600, 4)) + (2 * g.standard_normal((60, 4))[who] if marked else y[:, None])
    return np.column_stack([X, who]), y


NAMES = ["a", "b", "c", "d", "patient"]


def test_people_on_both_sides_are_asked_about(make_table, make_context):
    (finding,) = GroupLeak().inspect(make_context(make_table(*people(), names=NAMES), test=0))
    assert finding.state == "fix_before_use"
    assert finding.id == "group_leak:patient"
    assert finding.effect["before"] > finding.effect["after"] + 0.1
    assert finding.effect["low"] < finding.effect["after"] < finding.effect["high"]
    assert any("--group patient" in step for step in finding.action)
    assert finding.confidence["found"] == 1


def test_people_who_share_nothing_are_not(make_table, make_context):
    finding = GroupLeak().inspect(make_context(make_table(*people(marked=False), names=NAMES), test=0))
    assert finding.state == "no_problem_found"
    assert finding.confidence["found"] == 1


def test_which_columns_may_name_a_group(make_table, make_context):
    X, y = people()
    context = make_context(make_table(X, y, names=["a", "b", "c", "d", "height"]), test=0)
    assert "no column names" in GroupLeak().unsuited(context)
    grouped = make_context(replace(make_table(X, y, names=NAMES), group=X[:, 4].astype(np.int64)), test=0)
    assert "--group" in GroupLeak().unsuited(grouped)
    words = {"shop": [f"s{int(v)}" for v in X[:, 4]]}
    context = make_context(make_table(X[:, :4], y, words=words), test=0)
    assert GroupLeak().columns(context) == [4]


def test_no_group_crosses_folds():
    group = np.random.default_rng(0).integers(30, size=200)
    folds = grouped_folds(group, 5, np.random.default_rng(0))
    assert all(len(np.unique(folds[group == one])) == 1 for one in range(30))
    assert np.bincount(folds).min() >= 30
