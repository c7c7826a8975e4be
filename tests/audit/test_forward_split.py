from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit.forward_split import ForwardSplit, half_width, is_sorted


def stream(count=800, seed=0, walk=3.0):
    """Two classes whose means walk over the file."""
    g = np.random.default_rng(seed)
    y = g.integers(2, size=count)
    late = walk * np.arange(count) / count
    return g.standard_normal((count, 4)) + 2.0 * y[:, None] + 2 * late[:, None], y


def test_a_stream_that_was_shuffled_promises_too_much(make_table, make_context):
    finding = ForwardSplit().inspect(make_context(make_table(*stream()), test=0))
    assert finding.state == "fix_before_use"
    assert finding.effect["before"] > finding.effect["after"] + 0.05
    assert finding.effect["low"] <= finding.effect["after"] <= finding.effect["high"]
    shuffled, forward = finding.evidence["examples"]
    assert shuffled["split"] == "shuffled"
    assert shuffled["low"] < shuffled["score"] < shuffled["high"]
    assert forward["score"] == finding.effect["after"]
    assert "right on shuffled rows" in finding.title
    assert any("--time" in step for step in finding.action)


def test_a_shuffled_copy_is_silent_and_its_planted_changes_are_found(make_table, make_context):
    X, y = stream()
    order = np.random.default_rng(1).permutation(len(y))
    finding = ForwardSplit().inspect(make_context(make_table(X[order], y[order]), test=0))
    assert finding.state == "no_problem_found"
    assert finding.confidence["planted"] == 2
    assert finding.confidence["found"] == 2
    assert finding.confidence["false_alarms"] <= 1
    assert finding.confidence["false_alarms_of"] == 9


def test_with_a_time_column_the_rows_are_put_in_its_order(make_table, make_context):
    X, y = stream()
    order = np.random.default_rng(1).permutation(len(y))
    table = replace(make_table(X[order], y[order]), time=order.astype(float))
    finding = ForwardSplit().inspect(make_context(table, test=0))
    assert finding.state == "no_problem_found"
    assert "already follows --time" in finding.title
    assert finding.effect["before"] > finding.effect["after"] + 0.05


def test_numbers_as_answers(make_table, make_context):
    X, y = stream()
    table = make_table(X[:, 1:], X[:, 0] + 4 * (np.arange(len(y)) / len(y)) ** 2, regression=True)
    finding = ForwardSplit().inspect(make_context(table, test=0))
    assert finding.effect["metric"] == "share of variance explained"
    assert finding.effect["before"] > finding.effect["after"]


def test_a_file_sorted_by_the_answer_has_no_order_of_time(make_table, make_context):
    X, y = stream()
    table = make_table(X[np.argsort(y)], np.sort(y))
    assert "sorted by the answer" in ForwardSplit().unsuited(make_context(table, test=0))
    assert "fewer than 300" in ForwardSplit().unsuited(make_context(make_table(X[:90], y[:90]), test=0))
    assert is_sorted(np.array([0, 0, 1, 1, 2]))
    assert not is_sorted(np.tile([0, 1], 10))
    assert is_sorted(np.array([0.0, 1.0, 1.0]))
    assert not is_sorted(np.array([0.0, 2.0, 1.0]))


def test_half_widths_know_that_neighbours_are_alike():
    g = np.random.default_rng(0)
    alone = g.integers(2, size=400).astype(float)
    assert half_width(np.repeat(alone[:40], 10)) > 1.5 * half_width(alone)


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "target"), [("keystroke", "class"), ("phishing_stream", "class")])
def test_known_streams_are_flagged(name, target, shared_table, make_context):
    finding = ForwardSplit().inspect(make_context(shared_table(name, target), test=0))
    assert finding.state in ("fix_before_use", "look_at_this")
