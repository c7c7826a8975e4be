from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit.context import Context
from temperance.audit.grouping import Grouping


def test_blocks_of_rows_that_share_a_mark_are_flagged(make_table, make_context):
    g = np.random.default_rng(0)
    block = np.arange(400) // 10
    X = g.standard_normal((40, 4))[block] + 0.1 * g.standard_normal((400, 4))
    finding = Grouping().inspect(make_context(make_table(X, g.integers(2, size=40)[block]), test=0))
    assert finding.state == "look_at_this"
    assert finding.effect["before"] > 0.9 > finding.effect["after"]
    assert finding.confidence["found"] == 1


@pytest.mark.slow
def test_digits_in_the_order_of_writers_are_flagged(bundled, make_context):
    finding = Grouping().inspect(make_context(bundled("digits")))
    assert finding.state == "look_at_this"
    assert finding.effect["before"] - finding.effect["after"] > 0.02


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes"])
def test_shuffled_files_are_not(name, bundled, make_context):
    table = bundled(name)
    shuffled = table.take(np.random.default_rng(1).permutation(len(table)))
    assert Grouping().inspect(make_context(shuffled)).state == "no_problem_found"


def test_a_file_sorted_by_the_answer_is_not_flagged_for_that_alone(bundled, make_context):
    table = bundled("breast_cancer")
    assert (
        Grouping().inspect(make_context(table.take(np.argsort(table.target, kind="stable")))).state
        == "no_problem_found"
    )


def test_one_group_on_both_sides_must_be_fixed(bundled, make_roles):
    table = bundled("breast_cancer")
    roles = make_roles(len(table))
    shared = replace(table, group=np.arange(len(table)) // 10)
    finding = Grouping().inspect(Context(shared, roles, limit=200))
    assert finding.state == "fix_before_use"
    apart = np.zeros(len(table), dtype=np.int64)
    apart[roles.test] = 1
    assert Grouping().inspect(Context(replace(table, group=apart), roles, limit=200)).evidence["shared_groups"] == 0


def test_what_the_split_keeps_apart_is_no_problem_and_is_said_so(make_table, make_context):
    g = np.random.default_rng(0)
    block = np.arange(400) // 10
    X = g.standard_normal((40, 4))[block] + 0.1 * g.standard_normal((400, 4))
    table = make_table(X, g.integers(2, size=40)[block])
    grouped = Grouping().inspect(make_context(replace(table, group=block), test=0))
    assert grouped.state == "no_problem_found"
    assert grouped.title.endswith("the split keeps them apart.")


def test_a_group_that_neighbours_do_not_share_does_not_excuse_them(make_table, make_context):
    g = np.random.default_rng(0)
    block = np.arange(400) // 10
    X = g.standard_normal((40, 4))[block] + 0.1 * g.standard_normal((400, 4))
    table = make_table(X, g.integers(2, size=40)[block])
    spread = Grouping().inspect(make_context(replace(table, group=np.arange(400) % 12), test=0))
    assert spread.state == "look_at_this"
    assert "may promise too much" in spread.title
