from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from temperance import audit
from temperance.data import read, split


def texts(count=300, seed=0):
    g = np.random.default_rng(seed)
    words = ["".join(g.choice(list("abcdefghijklmnop"), size=7)) for _ in range(500)]
    y = g.integers(2, size=count)
    return [" ".join(g.choice(words[200 * one :][:300], size=25)) for one in y], [["no", "yes"][one] for one in y]


def found(said, y):
    table = read(pl.DataFrame({"said": said, "y": y}), target="y").table
    (finding,) = audit.inspect(table, split(table, seed=0), checks=["text_duplicates"])
    return finding, table


def test_texts_without_copies_are_silent():
    finding, _ = found(*texts())
    assert finding.state == "no_problem_found"
    assert finding.confidence["planted"] == 60
    assert finding.confidence["found"] >= 55
    assert finding.confidence["false_alarms"] == 0


def test_copies_with_a_word_changed_are_found():
    said, y = texts()
    for i in range(60):
        said[i], y[i] = said[i + 100].upper() + " indeed", y[i + 100]
    finding, _ = found(said, y)
    assert finding.state in ("fix_before_use", "look_at_this")
    assert 5 <= finding.evidence["k"] <= 40
    pair = finding.evidence["examples"][0]
    assert abs(pair["test_row"] - pair["development_row"]) == 100


@pytest.mark.parametrize("kind", ["short", "no text"])
def test_what_cannot_be_looked_at_says_why(kind, make_table, make_roles):
    if kind == "no text":
        table = make_table(np.random.default_rng(0).standard_normal((60, 2)), np.arange(60) % 2)
        (finding,) = audit.inspect(table, make_roles(60), checks=["text_duplicates"])
        assert "no columns of text" in finding.title
        return
    said, y = texts(80)
    finding, _ = found([text[:12] + f" {i} ok" for i, text in enumerate(said)], y)
    assert finding.state == "not_tested"
