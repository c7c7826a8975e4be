import pytest

from temperance.cli.models import bundle_folder, open_bundle
from temperance.records.errors import BundleError


def test_a_study_stands_for_its_bundle(tmp_path) -> None:
    (tmp_path / "bundle").mkdir()
    assert bundle_folder(tmp_path) == tmp_path  # no study.json: the folder itself is meant
    (tmp_path / "study.json").write_text("{}")
    assert bundle_folder(tmp_path) == tmp_path / "bundle"


def test_a_missing_folder_is_refused(tmp_path) -> None:
    with pytest.raises(BundleError, match="no folder"):
        bundle_folder(tmp_path / "nowhere")


def test_it_opens(classes) -> None:
    assert open_bundle(classes.folder).classes == ("=yes", "no")


def test_a_damaged_bundle_is_refused(tmp_path, classes) -> None:
    import shutil

    broken = shutil.copytree(classes.folder, tmp_path / "broken")
    (broken / "model.onnx").write_bytes((broken / "model.onnx").read_bytes()[:-10])
    with pytest.raises(BundleError, match=r"model\.onnx"):
        open_bundle(broken)
