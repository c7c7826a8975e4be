import pytest

from temperance.cli.models import bundle_folder, bundle_of, open_bundle
from temperance.deployment.several import write_several
from temperance.records.errors import BundleError, SettingError


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


def test_a_study_of_several_targets_without_a_model_says_how_to_go_on(tmp_path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "several.json").write_text("{}")
    with pytest.raises(BundleError, match="has no model yet") as told:
        bundle_folder(tmp_path)
    assert "temperance study --resume" in told.value.remedy


def test_of_several_models_the_target_says_which(tmp_path, classes, values) -> None:
    write_several(tmp_path / "all", [("1_a", "answer", classes.folder), ("2_b", "answer", values.folder)])
    for target in (None, "answer", "other"):
        with pytest.raises(SettingError, match="several targets") as told:
            bundle_of(tmp_path / "all", target)
        assert "1_a" in told.value.remedy
    write_several(tmp_path / "one", [("1_a", "answer", classes.folder)])
    assert bundle_of(tmp_path / "one", "answer") == tmp_path / "one" / "1_a"
    assert bundle_of(classes.folder, None) == classes.folder
