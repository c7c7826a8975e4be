from __future__ import annotations

from temperance.audit.copies import sentence_of_effect, state_of_copies


def test_states():
    inside = {"before": 0.5, "low": 0.4, "high": 0.6}
    moved = {"before": 0.7, "low": 0.4, "high": 0.6}
    assert state_of_copies(0, 0.0, 0.0, {}) == "no_problem_found"
    assert state_of_copies(3, 0.005, 0.0, inside) == "look_at_this"
    assert state_of_copies(3, 0.005, 0.0, moved) == "fix_before_use"
    assert state_of_copies(30, 0.10, 0.0, inside) == "fix_before_use"
    assert state_of_copies(30, 0.10, 0.09, inside) == "look_at_this"


def test_sentence_speaks_in_counts_of_100():
    effect = {"metric": "accuracy of a quick model", "before": 0.912, "after": 0.85}
    assert sentence_of_effect(effect) == " With the copies a quick model gets 91 of 100 right, without them 85."
    assert "is off by 2" in sentence_of_effect({"metric": "mean error of a quick model", "before": 2.0, "after": 3.0})
    assert sentence_of_effect({}) == ""
