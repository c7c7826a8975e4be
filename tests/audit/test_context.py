from __future__ import annotations

from dataclasses import replace

import numpy as np

from temperance.audit.context import Context, join, known_target


def test_development_leaves_out_test_rows_and_rows_without_target(make_table, make_roles):
    table = make_table(np.arange(40.0).reshape(20, 2), [0, 1] * 10)
    target = table.target.copy()
    target[3] = -1
    table = replace(table, target=target)
    roles = make_roles(20)
    context = Context(table, roles)
    assert set(context.development) == set(range(20)) - set(roles.test) - {3}
    assert known_target(table).sum() == 19


def test_development_with_a_separate_test_table_is_the_whole_table(make_table, make_roles):
    table = make_table(np.arange(20.0).reshape(10, 2), [0, 1] * 5)
    roles = replace(make_roles(10), test=np.arange(10), test_is_separate=True)
    context = Context(table, roles, table)
    assert len(context.development) == 10
    assert len(context.testing[1]) == 10


def test_sample_is_deterministic_sorted_and_limited(make_table, make_context):
    context = make_context(make_table(np.random.default_rng(0).random((500, 2)), np.arange(500) % 2))
    first, again = context.sample("a", 50), context.sample("a", 50)
    assert len(first) == 50
    assert np.array_equal(first, again)
    assert np.all(np.diff(first) > 0)
    assert not np.array_equal(first, context.sample("b", 50))
    assert len(context.sized(10).sample("a", 50)) == 10


def test_once_computes_once_and_is_shared_by_sized_copies(make_table, make_context):
    context = make_context(make_table(np.zeros((10, 1)), [0, 1] * 5))
    calls = []
    for other in (context, context.sized(3)):
        other.once("key", lambda: calls.append(1))
    assert calls == [1]


def test_join_stacks_rows(make_table):
    rows = make_table(np.ones((3, 2)), [0, 1, 0]).rows
    assert join(rows, rows).size == 6
