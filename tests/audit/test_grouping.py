from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit.context import Context
from temperance.audit.grouping import Grouping


def test_digits_in_the_order_of_writers_are_flagged(bundled, make_context):
    finding = Grouping().inspect(make_context(bundled("digits")))
    assert finding.state == "look_at_this"
    assert finding.effect["before"] - finding.effect["after"] > 0.02


@pytest.mark.parametrize("name", ["breast_cancer", "synthetic", "diabetes"])
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
    finding = Grouping().inspect(Context(shared, roles))
    assert finding.state == "fix_before_use"
    apart = np.zeros(len(table), dtype=np.int64)
    apart[roles.test] = 1
    assert Grouping().inspect(Context(replace(table, group=apart), roles)).evidence["shared_groups"] == 0
