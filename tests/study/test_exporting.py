"""Any finished trial of a study as a bundle."""

import json

import pytest

from temperance.deployment import load
from temperance.records.errors import StudyError
from temperance.study.again import fold
from temperance.study.exporting import export


def test_a_trial_that_did_not_win_becomes_a_bundle(finished, tmp_path):
    document = json.loads((finished / "study.json").read_text())
    rest = [t for t in document["trials"] if t["status"] == "done" and t["id"] != document["winner"]["trial"]]
    other = next(t["id"] for t in rest if t["kind"] == "basic")
    before, ledger = (finished / "study.json").read_bytes(), (finished / "ledger.jsonl").read_bytes()
    value = export(finished, other, out=tmp_path / "bundle")
    assert value["test"]["accuracy"]["n"] == document["winner"]["test"]["accuracy"]["n"]
    assert load(tmp_path / "bundle").name
    assert (finished / "study.json").read_bytes() == before
    assert (finished / "ledger.jsonl").read_bytes() == ledger  # an export is no part of the study
    with pytest.raises(StudyError, match="exists"):
        export(finished, other, out=tmp_path / "bundle")


def test_a_trial_that_is_not_there_is_named(finished):
    with pytest.raises(StudyError, match="no trial 't099'"):
        export(finished, "t099")
    state = fold(finished)
    lost = [r.spec.id for r in state.results if r.status == "discarded"]
    for trial in lost:
        with pytest.raises(StudyError, match="is discarded"):
            export(finished, trial)
