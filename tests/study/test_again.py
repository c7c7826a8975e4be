"""A study can be replayed bit for bit, and continued after it was killed."""

import json
import shutil

import pytest

from temperance.records.errors import StudyError
from temperance.study.again import finished_specs, is_complete, replay, resume
from temperance.study.clock import Budget


@pytest.mark.slow
def test_a_replay_is_identical(finished, tmp_path):
    outcome = replay(finished, out=tmp_path / "again")
    assert outcome.different == ()
    assert set(outcome.identical) == {spec.id for spec in finished_specs(finished)}
    assert outcome.same_winner
    first, second = (json.loads((f / "study.json").read_text()) for f in (finished, tmp_path / "again"))
    assert first["winner"]["test"] == second["winner"]["test"]


def test_a_killed_study_goes_on_from_its_ledger(finished, tmp_path):
    folder = tmp_path / "killed"
    shutil.copytree(finished, folder)
    lines = (folder / "ledger.jsonl").read_text().splitlines()
    stop = [i for i, line in enumerate(lines) if '"event": "trial"' in line][2]
    (folder / "ledger.jsonl").write_text("\n".join(lines[: stop + 1]) + '\n{"event": "tri')
    (folder / "study.json").unlink()
    resume(folder, budget=Budget(trials=4))
    study = json.loads((folder / "study.json").read_text())
    kept = [t["id"] for t in study["trials"] if t["kind"] != "ensemble"]
    assert len(kept) == len(set(kept)) == 4
    again = [json.loads(x) for x in (folder / "ledger.jsonl").read_text().splitlines()]
    started = [line["spec"]["name"] for line in again if line["event"] == "trial"]
    assert len(started) == len(set(started)) == 4


def files(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_complete_study_is_left_as_it_is_until_more_is_asked_for(finished, tmp_path):
    folder = tmp_path / "whole"
    shutil.copytree(finished, folder)
    before = files(folder)
    for budget in (None, Budget(trials=6), Budget(runs=1)):
        assert is_complete(folder, budget=budget)
        assert resume(folder, budget=budget) == folder
    assert files(folder) == before
    assert not is_complete(folder, budget=Budget(seconds=30.0))
    resume(folder, budget=Budget(trials=7))
    trials = [t["id"] for t in json.loads((folder / "study.json").read_text())["trials"] if t["kind"] != "ensemble"]
    assert trials[:6] == finished_ids(finished)
    assert len(trials) == 7
    assert is_complete(folder)


def finished_ids(folder):
    return [t["id"] for t in json.loads((folder / "study.json").read_text())["trials"] if t["kind"] != "ensemble"]


@pytest.mark.parametrize("gone", ["study.json", "end", "failed"])
def test_a_study_that_did_not_end_whole_is_not_complete(finished, tmp_path, gone):
    folder = tmp_path / "part"
    shutil.copytree(finished, folder)
    lines = (folder / "ledger.jsonl").read_text().splitlines()
    if gone == "study.json":
        (folder / "study.json").unlink()
    lines = [line for line in lines if gone != "end" or '"event": "end"' not in line]
    lines += ['{"event": "failed", "why": "the disk was full when the report was written"}'] if gone == "failed" else []
    (folder / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    assert not is_complete(folder)


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(StudyError, match="no ledger"):
        resume(tmp_path)
