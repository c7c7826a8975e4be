from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from temperance.deployment.bundle import load
from temperance.deployment.manifest import LIST
from temperance.deployment.several import holds_several, load_several, write_several
from temperance.records.errors import BundleError


@pytest.fixture
def both(tmp_path: Path, copy: Path) -> Path:
    """Two bundles of one target in a folder of bundles."""
    write_several(tmp_path / "all", [("1_y", "y", copy), ("2_y", "y", copy)])
    return tmp_path / "all"


def test_several_bundles_are_one_folder(both: Path) -> None:
    found = load_several(both)
    assert [(name, target) for name, target, _ in found.parts] == [("1_y", "y"), ("2_y", "y")]
    assert holds_several(both)
    assert not holds_several(both / "1_y")


def test_a_bundle_of_bundles_is_no_bundle(both: Path) -> None:
    with pytest.raises(BundleError, match=r"models of several targets.*Name one: .*1_y"):
        load(both)


def test_writing_again_replaces_it(both: Path) -> None:
    write_several(both, [("1_y", "y", both.parent / "copy")])
    assert [name for name, _, _ in load_several(both).parts] == ["1_y"]
    assert not (both / "2_y").exists()


def test_what_was_exchanged_is_refused(both: Path) -> None:
    card = json.loads((both / LIST).read_text())
    changed = both / "1_y" / "manifest.json"
    text = changed.read_text()
    changed.write_text(text + " ")
    with pytest.raises(BundleError, match="'1_y' was changed"):
        load_several(both)
    changed.write_text(text)
    for folder in ("../one", "/tmp", "", None):
        card["outputs"][0]["folder"] = folder
        (both / LIST).write_text(json.dumps(card))
        with pytest.raises(BundleError, match="folders inside its own"):
            load_several(both)


def test_a_link_a_wrong_target_and_a_newer_list_are_refused(both: Path) -> None:
    text = (both / LIST).read_text()
    (both / LIST).write_text(text.replace('"target": "y"', '"target": "z"', 1))
    with pytest.raises(BundleError, match="predicts 'y'"):
        load_several(both)
    (both / LIST).write_text(text.replace('"schema": 1', '"schema": 2'))
    with pytest.raises(BundleError, match="Update Temperance"):
        load_several(both)
    (both / LIST).write_text(text)
    shutil.move(both / "2_y", both.parent / "moved")
    (both / "2_y").symlink_to(both.parent / "moved")
    with pytest.raises(BundleError, match="no links"):
        load_several(both)
