from __future__ import annotations

import json

import numpy as np
import pytest

from temperance.audit import CHECKS
from temperance.audit.base import Check, count_of, plain
from temperance.audit.imbalance import Imbalance


def test_plain_gives_json_safe_values():
    value = plain({"a": np.int64(3), "b": [np.float64(np.nan), np.arange(2)], "c": (np.bool_(True),)})
    assert value == {"a": 3, "b": [None, [0, 1]], "c": (True,)}
    assert json.dumps(value)


@pytest.mark.parametrize(("k", "said"), [(1, "1 row"), (0, "0 rows"), (1200, "1,200 rows")])
def test_count_of(k, said):
    assert count_of(k, "row") == said


def test_not_tested_names_the_reason():
    finding = Imbalance().not_tested("there is nothing.")
    assert finding.state == "not_tested"
    assert finding.confidence["gate_reason"] == "there is nothing."
    assert "rare answers" in finding.title


@pytest.mark.parametrize("name", list(CHECKS))
def test_every_check_declares_what_the_report_needs(name):
    check = CHECKS[name]
    assert issubclass(check, Check)
    assert check.name
    assert check.label
    assert check.why.endswith(".")
    assert check.cannot_see.endswith(".")
    assert check() == check()


def test_names_and_ranks_are_unique_and_found_by_finding_name():
    checks = [cls for _, cls in CHECKS.items()]
    assert len({c.name for c in checks}) == len(checks)
    assert len({c.rank for c in checks}) == len(checks)
    assert all(CHECKS[c.name] is c for c in checks)


def test_a_check_that_found_2_of_20_planted_faults_has_not_tested():
    check = Imbalance()
    weak = check.finding("no_problem_found", "Nothing.", confidence={"planted": 20, "found": 2})
    assert weak.state == "not_tested"
    assert "it found only 2 of 20 faults" in weak.title
    assert check.finding("no_problem_found", "Nothing.", confidence={"planted": 20, "found": 15}).title == "Nothing."
    assert check.finding("look_at_this", "Seen.", confidence={"planted": 20, "found": 2}).state == "look_at_this"
