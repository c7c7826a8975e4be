from __future__ import annotations

from temperance.audit.imbalance import Imbalance
from temperance.audit.planting import Kind, Planting


def test_the_counts_and_their_sentence():
    proof = Planting((Kind("exact copies", 20, 20), Kind("edited copies", 20, 3)), 100, 2, "other rows")
    told = proof.to_dict()
    assert (told["planted"], told["found"], told["false_alarms"], told["false_alarms_of"]) == (40, 23, 2, 100)
    assert told["unseen"] == ["edited copies"]
    assert told["self_test"] == (
        "Planted 40 faults in a copy of this data and found 23: 20 of 20 exact copies, 3 of 20 edited copies. "
        "Of 100 other rows it blamed 2."
    )


def test_one_fault_is_one_fault():
    said = Planting((Kind("files", 1, 1),), 0, 0).sentence
    assert said == "Planted 1 fault in a copy of this data and found 1: 1 of 1 files."


def test_where_nothing_could_be_planted_silence_is_not_tested():
    told = Planting((), 0, 0, note="No row occurs only once.").to_dict()
    assert told["self_test"] == "No row occurs only once."
    finding = Imbalance().finding("no_problem_found", "Nothing.", confidence=told)
    assert finding.state == "not_tested"
    assert "no fault could be planted" in finding.title


def test_a_kind_that_was_missed_is_named():
    proof = Planting((Kind("exact copies", 20, 20), Kind("cropped copies", 20, 3)), 0, 0)
    finding = Imbalance().finding("no_problem_found", "Nothing.", confidence=proof.to_dict())
    assert finding.state == "no_problem_found"
    assert finding.cannot_see.endswith("In this data also: cropped copies.")


def test_a_check_that_blames_clean_rows_asks_and_does_not_command():
    kinds = (Kind("wrong labels", 20, 20),)
    loud = Planting(kinds, 100, 30).to_dict()
    finding = Imbalance().finding("fix_before_use", "Bad.", confidence=loud)
    assert finding.state == "look_at_this"
    assert "question" in finding.title
    quiet = Planting(kinds, 100, 5).to_dict()
    assert Imbalance().finding("fix_before_use", "Bad.", confidence=quiet).state == "fix_before_use"
