"""The ledger survives a killed writer."""

import pytest

from temperance.records.errors import StudyError
from temperance.study.ledger import Ledger, read_ledger


def test_lines_come_back_in_order(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.write("start", trial="t000")
    ledger.write("trial", quality=0.5)
    ledger.close()
    assert [row["event"] for row in read_ledger(tmp_path / "ledger.jsonl")] == ["start", "trial"]


def test_a_torn_last_line_is_dropped_and_overwritten(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"event": "one"}\n{"event": "tw')
    assert [row["event"] for row in read_ledger(path)] == ["one"]
    ledger = Ledger(path)
    ledger.write("three")
    ledger.close()
    assert [row["event"] for row in read_ledger(path)] == ["one", "three"]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"event": "one"}\nnot json\n{"event": "two"}\n')
    with pytest.raises(StudyError, match="line 2"):
        read_ledger(path)


def test_a_folder_without_a_ledger_is_no_study(tmp_path):
    with pytest.raises(StudyError, match="no ledger"):
        read_ledger(tmp_path / "ledger.jsonl")
