"""A shared folder: complete, without the data, without the names of anybody's folders."""

from __future__ import annotations

import json

import pytest

from temperance.lifecycle.sharing import INDEX, digest, read_index, share, without_paths
from temperance.records.errors import StudyError


@pytest.fixture(scope="module")
def shared(studied, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "shared"
    share(studied.folder, out)
    return out


def test_it_holds_recipe_ledger_records_and_hashes(shared) -> None:
    index = read_index(shared)
    names = {p.relative_to(shared).as_posix() for p in shared.rglob("*") if p.is_file()}
    assert names == {*index["files"], INDEX}
    assert {"study.json", "ledger.jsonl", "recipe.json", "provenance.json", "croissant.json"} <= names
    for row in index["trials"]:
        assert digest(shared / row["file"]) == row["sha256"] == index["files"][row["file"]]


def test_neither_data_nor_model_are_in_it(shared, studied) -> None:
    assert not list(shared.rglob("*.csv.*")) + list(shared.rglob("*.onnx")) + list(shared.rglob("*.safetensors"))
    line = studied.file.read_text().splitlines()[1]
    assert not any(line in p.read_text() for p in shared.rglob("*") if p.suffix in (".json", ".jsonl", ".md", ".csv"))


def test_no_folder_of_this_machine_is_named(shared, studied) -> None:
    for path in shared.rglob("*"):
        if path.is_file() and path.suffix != ".npy":
            assert "private-place" not in path.read_text(), path.name
    assert json.loads((shared / "study.json").read_text())["command"].startswith("temperance study rows.csv")
    assert str(studied.place) in (studied.folder / "study.json").read_text()  # the study itself stays as it is


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("read /srv/ann/data/x.csv now", "read x.csv now"),
        ('{"p": "C:\\\\data\\\\ann\\\\x.csv"}', '{"p": "x.csv"}'),
        ("in /srv/ann/data", "in …"),
        ("/srv/ann/data/deep/x.csv", "deep/x.csv"),
    ],
)
def test_folders_are_cut_and_names_of_files_stay(text, expected) -> None:
    assert without_paths(text, ["/srv/ann/data", "C:\\data\\ann"]) == expected


def test_nothing_is_overwritten_and_no_study_is_refused(shared, studied, tmp_path) -> None:
    with pytest.raises(StudyError, match="exists"):
        share(studied.folder, shared)
    with pytest.raises(StudyError, match=r"study\.json"):
        share(tmp_path, tmp_path / "out")
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(StudyError):
        share(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "index",
    [
        "{",
        "[]",
        '{"format": "other", "schema": 1}',
        '{"format": "temperance-share", "schema": 99, "files": {}, "trials": []}',
        '{"format": "temperance-share", "schema": 1, "files": {"../x": "00"}, "trials": []}',
        '{"format": "temperance-share", "schema": 1, "files": {"a/b/c": "00"}, "trials": []}',
        '{"format": "temperance-share", "schema": 1, "files": {"a": 5}, "trials": []}',
        '{"format": "temperance-share", "schema": 1, "files": {}, "trials": [{"id": "../x"}]}',
        '{"format": "temperance-share", "schema": 1, "files": {}, "trials": ["x"]}',
        '{"format": "temperance-share", "schema": 1, "files": {}, "trials": [{"id": "x", "sha256": 5}]}',
        '{"format": "temperance-share", "schema": 1, "files": {}, "trials": [{"id": "x"}]}',
    ],
)
def test_an_index_that_is_not_ours_is_refused(tmp_path, index) -> None:
    (tmp_path / INDEX).write_text(index)
    with pytest.raises(StudyError):
        read_index(tmp_path)
