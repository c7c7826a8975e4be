from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit.row_order import RowOrder


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_sorted_files_are_named(name, bundled, make_context):
    finding = RowOrder().inspect(make_context(bundled(name)))
    assert finding.state == "look_at_this"
    assert "sorted by the answer" in finding.title
    assert finding.confidence["found"] == 1


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_files_are_not(seed, bundled, make_context):
    table = bundled("breast_cancer")
    shuffled = table.take(np.random.default_rng(seed).permutation(len(table)))
    assert RowOrder().inspect(make_context(shuffled)).state == "no_problem_found"


def test_sorted_numbers(bundled, make_context):
    table = bundled("diabetes")
    assert RowOrder().inspect(make_context(table)).state == "no_problem_found"
    assert RowOrder().inspect(make_context(table.take(np.argsort(table.target)))).state == "look_at_this"


def test_with_time_an_order_is_expected(bundled, make_context):
    table = bundled("iris")
    context = make_context(replace(table, time=np.arange(150.0)))
    assert "expected" in RowOrder().unsuited(context)
