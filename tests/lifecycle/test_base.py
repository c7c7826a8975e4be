"""Decisions as values."""

from __future__ import annotations

import json

import numpy as np

from temperance.evaluation import compare
from temperance.lifecycle.base import Decision, evidence


def test_decision_is_json_safe() -> None:
    row = Decision("keep", "Keep it.", "No gain.").to_dict()
    assert json.loads(json.dumps(row)) == {"decision": "keep", "sentence": "Keep it.", "why": "No gain."}


def test_evidence_names_rows_difference_and_p() -> None:
    rng = np.random.default_rng(0)
    loss = rng.uniform(0.2, 0.4, size=200)
    said = evidence(compare(loss + 0.1, loss, metric="log_loss"), "log_loss")
    assert "200 test rows" in said
    assert "log loss by +0.1" in said
    assert "p = " in said
