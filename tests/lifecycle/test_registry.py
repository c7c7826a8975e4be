import json
from pathlib import Path

import pytest

from temperance.deployment import load
from temperance.lifecycle.registry import Registry
from temperance.records.errors import BundleError, SettingError


@pytest.fixture
def two(linear: Path, pair: Path, tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "models", clock=lambda: 0.0)
    assert registry.add(linear, alias="champion")["number"] == 1
    assert registry.add(pair, alias="champion", note="with a net", why="better in March")["number"] == 2
    return registry


def test_versions_are_copies_that_load(two: Registry, pair: Path) -> None:
    assert two.bundle() == two.folder / "versions" / "2" / "bundle"
    assert load(two.bundle()).version == load(pair).version
    assert load(two.bundle("1")).version != load(pair).version
    entry = two.read()["versions"][1]
    assert (entry["note"], entry["added"]) == ("with a net", "1970-01-01T00:00:00Z")


def test_the_same_bundle_is_one_version(two: Registry, pair: Path) -> None:
    assert two.add(pair)["number"] == 2
    assert len(two.read()["versions"]) == 2


def test_rollback_goes_one_back_each_time(two: Registry) -> None:
    two.alias("champion", 1, why="tried")
    assert two.rollback()["aliases"]["champion"] == 2
    assert two.rollback(why="worse")["aliases"]["champion"] == 1
    with pytest.raises(SettingError, match="no version before"):
        two.rollback()
    assert [row["event"] for row in two.read()["history"]] == ["alias", "alias", "alias", "rollback", "rollback"]


def test_a_version_that_was_changed_is_refused(two: Registry) -> None:
    path = two.bundle() / "bundle.json"
    path.write_text(path.read_text().replace("model", "modal", 1))
    with pytest.raises(BundleError):
        two.bundle()


def test_names_and_numbers_are_checked(two: Registry, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no version 9"):
        two.alias("champion", 9)
    for name in ("../x", "3", ""):
        with pytest.raises(SettingError):
            two.alias(name, 1)
    with pytest.raises(SettingError, match="no alias 'best'"):
        two.bundle("best")
    with pytest.raises(BundleError, match="no registry"):
        Registry(tmp_path / "none").read()
    with pytest.raises(BundleError, match="no registry"):
        Registry(tmp_path / "none").rollback()
    assert not (tmp_path / "none").exists()


def test_a_folder_with_other_files_is_left_alone(linear: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(SettingError, match="other files"):
        Registry(tmp_path).add(linear)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.txt"]


def test_a_newer_or_damaged_registry_is_refused(two: Registry) -> None:
    content = two.read()
    (two.folder / "registry.json").write_text(json.dumps({**content, "schema": 2}))
    with pytest.raises(BundleError, match="newer"):
        two.read()
    (two.folder / "registry.json").write_text(json.dumps({**content, "history": 5}))
    with pytest.raises(BundleError, match="damaged"):
        two.rollback()


def test_a_name_is_not_moved_to_a_version_that_was_changed(two: Registry) -> None:
    (two.bundle("1") / "model.onnx").unlink()
    for move in (two.rollback, lambda: two.alias("champion", 1)):
        with pytest.raises(BundleError, match=r"model\.onnx"):
            move()
    assert two.read()["aliases"]["champion"] == 2
