"""A study can be replayed bit for bit, and continued after it was killed."""

import json
import shutil

import pytest

from temperance.records.errors import StudyError
from temperance.study.again import finished_specs, replay, resume
from temperance.study.clock import Budget


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


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(StudyError, match="no ledger"):
        resume(tmp_path)
