"""``verify``: a bundle and a shared study, in words and by the exit status; options that do not go together."""

import json
import shutil

import pytest

from temperance.deployment.several import write_several
from temperance.lifecycle.papers import write_papers
from temperance.lifecycle.sharing import INDEX
from temperance.testing.study_example import study_example


@pytest.fixture
def study(tmp_path, classes):
    shutil.copytree(classes.folder, tmp_path / "bundle")
    (tmp_path / "study.json").write_text(json.dumps(study_example()))
    write_papers(tmp_path, study_example())
    return tmp_path


def test_a_sound_bundle_holds(temperance, study) -> None:
    done = temperance("verify", study)
    assert done.status == 0, done.err
    assert "ok        files: All " in done.out
    assert "What was checked holds. 2 not checked." in done.out
    assert temperance("verify", study / "bundle", "--json").json["holds"] is True


def test_a_changed_file_ends_with_one(temperance, study) -> None:
    (study / "bundle" / "model_card.md").write_text("x")
    done = temperance("verify", study)
    assert done.status == 1
    assert "FAILS     checksums: model_card.md has 1 bytes" in done.out
    assert "1 of 1 checks fail." in done.out


def test_options_of_a_shared_study_are_refused_for_a_bundle(temperance, study) -> None:
    done = temperance("verify", study, "--replay")
    assert done.status == 2
    assert "temperance share" in done.err


def test_what_is_neither_is_refused(temperance, tmp_path) -> None:
    assert temperance("verify", tmp_path / "none").status == 2
    done = temperance("verify", tmp_path)
    assert done.status == 1
    assert "manifest.json" in done.out


def test_a_shared_study(temperance, tmp_path) -> None:
    body = {"format": "temperance-share", "schema": 1, "files": {}, "trials": []}
    (tmp_path / INDEX).write_text(json.dumps(body))
    assert temperance("verify", tmp_path).status == 0
    assert temperance("verify", tmp_path, "--key", "x").status == 2
    assert temperance("verify", tmp_path, "--data", "x").status == 2
    (tmp_path / INDEX).write_text("{")
    done = temperance("verify", tmp_path)
    assert done.status == 2
    assert INDEX in done.err


def test_each_bundle_of_several_targets(temperance, study, classes, tmp_path) -> None:
    folder = tmp_path / "both"
    write_several(folder, [("1_answer", "answer", classes.folder), ("2_again", "answer", study / "bundle")])
    found = temperance("verify", folder, "--json").json
    assert found["holds"] is True
    assert [one["name"] for one in found["checks"]][:3] == ["list", "1_answer: checksums", "1_answer: answers"]
    (folder / "2_again" / "model_card.md").write_text("x")
    changed = temperance("verify", folder)
    assert changed.status == 1
    assert "FAILS     list: model_card.md" in changed.out
    (folder / "1_answer" / "manifest.json").write_text("{}")
    assert "FAILS     list: the bundle '1_answer' was changed" in temperance("verify", folder).out
