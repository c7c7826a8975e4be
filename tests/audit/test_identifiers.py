from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.identifiers import NAMED, Identifiers


def test_finds_numbers_and_text_that_name_rows(make_table, make_context):
    g = np.random.default_rng(0)
    n = 300
    X = np.stack([np.arange(n), g.integers(10**9, size=n), g.standard_normal(n), g.integers(50, size=n)], axis=1)
    names = ["row", "customerID", "income", "age"]
    words = {"code": [f"A{v:05d}" for v in g.permutation(n)], "city": g.choice(["x", "y"], n).tolist()}
    finding = Identifiers().inspect(make_context(make_table(X, g.integers(2, size=n), names=names, words=words)))
    assert set(finding.evidence["columns"]) == {"row", "customerID", "code"}
    assert finding.state == "look_at_this"
    assert (finding.confidence["found"], finding.confidence["false_alarms"]) == (3, 0)


def test_an_identifier_that_tells_the_answer_says_so(make_table, make_context):
    y = np.repeat([0, 1], 200)
    X = np.stack([np.arange(400), np.random.default_rng(0).random(400)], axis=1)
    finding = Identifiers().inspect(make_context(make_table(X, y, names=["id", "x"])))
    assert "helps to tell the answer" in finding.title
    assert finding.evidence["examples"][0]["score"] >= 0.95


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "digits", "diabetes", "synthetic"])
def test_clean_sets_have_none(name, bundled, make_context):
    assert Identifiers().inspect(make_context(bundled(name))).state == "no_problem_found"


def test_large_amounts_are_not_identifiers(make_table, make_context):
    g = np.random.default_rng(0)
    X = g.integers(10_000_000, size=(500, 1))
    finding = Identifiers().inspect(make_context(make_table(X, g.integers(2, size=500), names=["population"])))
    assert finding.state == "no_problem_found"


@pytest.mark.parametrize(("name", "hit"), [("customerid", True), ("order_no", True), ("id", True), ("humidity", False)])
def test_names(name, hit):
    assert bool(NAMED.search(name)) is hit


def test_few_rows_are_refused(make_table, make_context):
    table = make_table(np.arange(20.0)[:, None], [0, 1] * 10)
    assert "uniqueness" in Identifiers().unsuited(make_context(table))
