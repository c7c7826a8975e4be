"""``sign``: a key is made, the bundle signed, and the signature checked with the public half."""

import json
import shutil

import pytest

pytest.importorskip("cryptography", reason="pip install temperance[sign]")

from temperance.lifecycle.papers import write_papers
from temperance.testing.study_example import study_example


@pytest.fixture
def study(tmp_path, classes):
    shutil.copytree(classes.folder, tmp_path / "bundle")
    (tmp_path / "study.json").write_text(json.dumps(study_example()))
    write_papers(tmp_path, study_example())
    return tmp_path


def test_a_new_key_signs_and_its_public_half_verifies(temperance, study) -> None:
    done = temperance("sign", study, "--new-key", study / "mine")
    assert done.status == 0, done.err
    assert f"Hand out: {study / 'mine.pub'}" in done.out
    assert temperance("sign", study, "--key", study / "mine").status == 0
    checked = temperance("verify", study, "--key", study / "mine.pub", "--json")
    assert checked.status == 0
    assert {c["name"]: c["state"] for c in checked.json["checks"]}["signature"] == "holds"


def test_one_of_the_two_options_is_needed(temperance, study) -> None:
    assert temperance("sign", study).status == 2
    assert temperance("sign", study, "--key", "a", "--new-key", "b").status == 2


def test_a_missing_key_is_refused_without_a_traceback(temperance, study) -> None:
    done = temperance("sign", study, "--key", study / "none")
    assert done.status == 2
    assert "cannot be read" in done.err
    assert not (study / "bundle" / "provenance.dsse.json").exists()
