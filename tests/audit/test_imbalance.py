from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.imbalance import Imbalance


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ((500, 500), "no_problem_found"),
        ((1000, 80), "look_at_this"),
        ((100, 25), "look_at_this"),
        ((500, 6), "fix_before_use"),
    ],
)
def test_states_of_classes(counts, state, make_table, make_context):
    y = np.repeat([0, 1], counts)
    finding = Imbalance().inspect(make_context(make_table(np.arange(len(y))[:, None], y), test=0))
    assert finding.state == state
    assert f"{min(counts)} row" in finding.title


def test_a_class_absent_from_the_test_rows_is_named(make_table):
    from temperance.audit.context import Context
    from temperance.records.roles import Roles

    e = np.empty(0, dtype=np.int64)
    table = make_table(np.zeros((200, 1)), np.repeat([0, 1], 100))
    roles = Roles(np.concatenate([np.arange(80), np.arange(100, 200)]), e, e, e, np.arange(80, 100))
    finding = Imbalance().inspect(Context(table, roles))
    assert finding.evidence["absent_from_test"] == ["class 1"]
    assert finding.state == "look_at_this"


def test_numeric_target_that_is_mostly_one_value(make_table, make_context):
    y = np.where(np.arange(300) % 3 == 0, np.arange(300), 0.0)
    finding = Imbalance().inspect(make_context(make_table(np.zeros((300, 1)), y, regression=True)))
    assert finding.state == "look_at_this"
    spread = make_table(np.zeros((300, 1)), np.arange(300.0), regression=True)
    assert Imbalance().inspect(make_context(spread)).state == "no_problem_found"
