"""Annex IV in three states: evidence where there is some, blanks where only the owner knows, owners' answers."""

import pytest

from temperance.governance.annex_iv import HEADINGS, ROWS, WORDS, AnnexIV, counts
from temperance.records.errors import SettingError


def by_id(study, **answers):
    return {row.id: row for row in AnnexIV(answers).rows(study)}


def test_each_row_is_in_one_of_three_states_and_filled_rows_say_something(study) -> None:
    rows = AnnexIV().rows(study)
    assert {r.state for r in rows} == set(WORDS)
    assert all(bool(r.text) == (r.state != "blank") for r in rows)
    assert {r.heading for r in rows} == set(HEADINGS)
    assert len({r.id for r in rows}) == len(rows) == len(ROWS)


def test_evidence_of_the_study_is_what_is_written(study) -> None:
    rows = by_id(study)
    assert "0.912" in rows["2g"].text
    assert "4,200 rows" in rows["2d"].text
    assert rows["2d.r"].text == "Declared licence: CC-BY-4.0."
    assert rows["2a.p"].state == "not applicable"
    assert rows["5"].state == "blank"


def test_an_empty_study_fills_nothing(study) -> None:
    assert {r.state for r in AnnexIV().rows({})} == {"blank"}


def test_a_net_of_the_users_own_may_have_been_trained_before(study) -> None:
    study["trials"][0]["model"] = "user"
    assert by_id(study)["2a.p"].state == "blank"


def test_owners_answers_fill_rows_or_take_them_out(study) -> None:
    rows = by_id(study, **{"5": "See file R-12.", "7": "Not applicable: none was used.", "1f": "not applicable"})
    assert (rows["5"].state, rows["5"].text, rows["5"].where) == ("filled", "See file R-12.", "written by the owner")
    assert (rows["7"].state, rows["7"].text) == ("not applicable", "none was used.")
    assert rows["1f"].text == "said by the owner"


def test_an_answer_to_a_point_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingError, match="2z"):
        AnnexIV({"2z": "x"})


def test_the_page_counts_and_asks_for_what_is_missing(study) -> None:
    text = AnnexIV().render(study)
    rows = AnnexIV().rows(study)
    missing = sum(r.state == "blank" for r in rows)
    assert f"{missing} to be written by you" in text
    assert text.count("Owner, please answer") == missing
    assert "no statement that anything conforms" in text
    found = counts(rows)
    assert sum(n for states in found.values() for n in states.values()) == len(rows)
    assert found["8"] == {"filled": 0, "blank": 1, "not applicable": 0}
