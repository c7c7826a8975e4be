"""The ledger survives a killed writer and a full disk."""

import errno
import json

import pytest

from temperance.records.errors import DataError, StudyError
from temperance.study.events import LeftOut, Stopped
from temperance.study.ledger import Ledger, barely_began, holds_nothing, read_events, read_ledger


def test_events_come_back_in_order(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    written = [LeftOut(what="a", why="b", at=1.5), Stopped(at=2.0)]
    for event in written:
        ledger.write(event)
    ledger.close()
    assert read_events(tmp_path / "ledger.jsonl") == written
    assert [row["event"] for row in read_ledger(tmp_path / "ledger.jsonl")] == ["left_out", "stopped"]


def test_a_torn_last_line_is_dropped_and_overwritten(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"event": "one"}\n{"event": "tw')
    assert [row["event"] for row in read_ledger(path)] == ["one"]
    ledger = Ledger(path)
    ledger.write(Stopped())
    ledger.close()
    assert [row["event"] for row in read_ledger(path)] == ["one", "stopped"]


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.write(Stopped())
    whole = ledger._append

    def torn(line):
        whole(line[:7])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ledger, "_append", torn)
    with pytest.raises(DataError, match=r"No space left .* --resume"):
        ledger.write(Stopped())
    monkeypatch.undo()
    ledger.write(Stopped(at=3.0))
    assert read_events(tmp_path / "ledger.jsonl") == [Stopped(), Stopped(at=3.0)]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"event": "one"}\nnot json\n{"event": "two"}\n')
    with pytest.raises(StudyError, match="line 2"):
        read_ledger(path)


def test_a_folder_without_a_ledger_is_no_study(tmp_path):
    with pytest.raises(StudyError, match="no ledger"):
        read_ledger(tmp_path / "ledger.jsonl")


def test_a_study_that_barely_began_is_told_from_one_that_holds_something(tmp_path):
    path = tmp_path / "ledger.jsonl"
    assert not barely_began(tmp_path)
    began_only, more = '{"event": "study"}\n{"event": "failed"}\n', '{"event": "study"}\n{"event": "trial"}\n'
    cases = {
        "": True,
        began_only: True,
        "{}": False,
        more: False,
        '{"event": "other"}\n': False,
        '{"event": "stu': True,
    }
    for text, began in cases.items():
        path.write_text(text)
        assert barely_began(tmp_path) == began, text
    path.write_text("{}\n")
    assert not barely_began(tmp_path)
    path.write_text("")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "data.json").write_text("{}")
    assert not barely_began(tmp_path)


def test_a_study_without_a_finished_model_holds_nothing(tmp_path):
    def trial(status, model="Linear"):
        return {"event": "trial", "spec": {"id": "t0", "model": model}, "result": {"status": status}}

    began = {"event": "study"}
    cases = [
        ([], True), ([{"event": "data"}, {"event": "failed"}], True), ([trial("failed"), trial("interrupted")], True),
        ([trial("done", "Majority")], True), ([trial("done")], False), ([trial("failed"), trial("done")], False),
        ([{"event": "of a newer version"}], False), ([{"event": "trial"}], False),
    ]  # fmt: skip
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "data.json").write_text("{}")
    for rows, nothing in cases:
        text = "".join(json.dumps(row) + "\n" for row in [began, *rows])
        (tmp_path / "ledger.jsonl").write_text(text)
        assert holds_nothing(tmp_path) is nothing, rows
    (tmp_path / "ledger.jsonl").write_text(json.dumps(began) + "\n")
    (tmp_path / "study.json").write_text("{}")
    assert not holds_nothing(tmp_path)
