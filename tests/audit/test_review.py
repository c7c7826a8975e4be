from __future__ import annotations

import numpy as np
import pytest

from temperance import audit
from temperance.audit.review import _day, gallery, precision, read_answers, sentence
from temperance.records.errors import DataError


def test_answers_are_read(tmp_path):
    path = tmp_path / "review.csv"
    path.write_text("row,given,likely,wrong\n3,a,b,yes\n9,a,b,No\n11,a,b,\n", encoding="utf-8-sig")
    assert read_answers(path) == {3: True, 9: False}
    path.write_text("row;given;wrong\n3;a;nein\n")
    assert read_answers(path) == {3: False}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("row,wrong\n3,perhaps\n", "line 2"),
        ("a,b\n1,2\n", "has the columns a, b"),
        ("row,wrong\nx,yes\n", "'x'"),
        ("row,wrong\n²,yes\n", "'²'"),
    ],
)
def test_what_is_no_answer_is_refused(tmp_path, text, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_answers(tmp_path / "a.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_answers(tmp_path / "none.csv")


def test_precision_counts_judged_rows_that_are_flagged():
    told = precision({1: True, 2: True, 3: False, 99: True}, {1, 2, 3, 4})
    assert (told["judged"], told["wrong"]) == (3, 2)
    assert told["low"] < 2 / 3 < told["high"]
    assert sentence(told) == " You judged 3 of them: 2 were wrong."
    assert precision({}, {1}) == {}
    assert sentence({}) == ""


@pytest.mark.slow
def test_the_way_from_gallery_to_precision(bundled, make_roles):
    table, roles = bundled("digits"), make_roles(1797)
    wrong = np.random.default_rng(0).choice(roles.train, size=72, replace=False)
    table.target[wrong] = (table.target[wrong] + 1) % 10
    (finding,) = audit.inspect(table, roles, checks=["labels"])
    lines = gallery(finding.evidence["examples"], table)
    assert len(lines) == 20
    assert {"row", "given", "likely", "wrong", "x0"} <= set(lines[0])
    answers = {line["row"]: line["row"] in set(wrong.tolist()) for line in lines}
    (again,) = audit.inspect(table, roles, checks=["labels"], answers=answers)
    told = again.confidence["review"]
    assert told["judged"] == 20
    assert told["precision"] >= 0.9
    assert "You judged 20 of them" in again.title
    assert again.effect["metric"] == "accuracy of a quick model on the test rows"
    assert again.effect["after"] >= again.effect["before"] - 0.01
    (doubted,) = audit.inspect(table, roles, checks=["labels"], answers=dict.fromkeys(answers, False))
    assert doubted.state == "look_at_this"


@pytest.mark.parametrize(
    ("days", "shown"),
    [(0.0, "1970-01-01"), (19_000.5, "2022-01-08 12:00"), (-1.0, "1969-12-31"), (float("nan"), "")],
)
def test_a_date_is_shown_as_a_date(days: float, shown: str) -> None:
    assert _day(days) == shown
