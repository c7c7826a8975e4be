"""Papers of a study: all are written, the bundle stays whole, and owners' answers are taken over."""

from __future__ import annotations

import json
import shutil

import pytest

from temperance.deployment import load
from temperance.governance import Bill, Provenance
from temperance.governance.provenance import RENEWAL, check, read
from temperance.lifecycle import retrain
from temperance.lifecycle.papers import digests, owners_answers, write_papers
from temperance.lifecycle.verifying import verify_bundle
from temperance.records.errors import DataError, SettingError
from temperance.testing.study_example import study_example


@pytest.fixture
def folder(tmp_path, linear):
    shutil.copytree(linear, tmp_path / "bundle")
    return tmp_path


def test_all_are_written_and_the_bundle_is_whole(folder) -> None:
    written = write_papers(folder, study_example())
    assert [p.name for p in written] == ["model_card.md", "dataset_card.md", "croissant.json", "annex_iv.md"]
    inside = load(folder / "bundle").manifest["files"]
    assert {"model_card.md", "dataset_card.md", "croissant.json", Bill.filename, Provenance.filename} <= set(inside)
    assert "annex_iv.md" not in inside


def test_provenance_names_every_file_and_the_bill_every_file_but_these_two(folder) -> None:
    write_papers(folder, study_example())
    files = digests(folder / "bundle")
    statement = read((folder / "bundle" / Provenance.filename).read_text())
    assert check(statement, files)[0].state == "holds"
    bill = json.loads((folder / "bundle" / Bill.filename).read_text())
    listed = {c["name"]: c["hashes"][0]["content"] for c in bill["components"] if c["type"] == "file"}
    assert listed == {n: d for n, d in files.items() if n not in (Bill.filename, Provenance.filename)}


def test_written_twice_the_same_comes_out(folder) -> None:
    write_papers(folder, study_example())
    first = digests(folder / "bundle")
    write_papers(folder, study_example())
    assert digests(folder / "bundle") == first


def test_what_the_owner_filled_in_is_kept(folder) -> None:
    (folder / "model_card.md").write_text("mine")
    (folder / "annex_iv.md").write_text("mine")
    written = write_papers(folder, study_example(), keep=True)
    assert [p.name for p in written] == ["dataset_card.md", "croissant.json"]
    (folder / "annex_iv.toml").write_text('"5" = "See file R-12."')
    assert [p.name for p in write_papers(folder, study_example(), keep=True)] == ["annex_iv.md"]
    assert "See file R-12." in (folder / "annex_iv.md").read_text()


def test_without_a_bundle_the_papers_are_written_all_the_same(tmp_path) -> None:
    assert len(write_papers(tmp_path, {**study_example(), "bundle": None})) == 4


@pytest.mark.parametrize("text", ["= =", '"5" = 3', '"5" = ["a"]'])
def test_answers_that_cannot_be_read_are_refused(tmp_path, text) -> None:
    (tmp_path / "annex_iv.toml").write_text(text)
    with pytest.raises(DataError, match="annex_iv"):
        owners_answers(tmp_path)


def test_an_answer_to_no_point_is_refused(tmp_path) -> None:
    (tmp_path / "annex_iv.toml").write_text('"99" = "x"')
    with pytest.raises(SettingError, match="99"):
        write_papers(tmp_path, study_example())


def test_a_retrained_bundle_has_papers_of_its_own(folder, made) -> None:
    write_papers(folder, study_example())
    found = retrain(folder / "bundle", made.table(300, seed=1, flip=True), out=folder / "again")
    bundle = folder / "again" / "bundle"
    assert all(one.state != "fails" for one in verify_bundle(bundle))
    statement = read((bundle / Provenance.filename).read_text())
    made_by = statement["predicate"]["buildDefinition"]
    data = [one for one in made_by["resolvedDependencies"] if one.get("annotations", {}).get("role") == "data"]
    assert made_by["buildType"] == RENEWAL
    assert [one["digest"]["sha256"] for one in data] == [found["data"]["sha256"]]
    assert made_by["externalParameters"]["retrain"]["parent"] == found["champion"]["version"]
    bill = json.loads((bundle / Bill.filename).read_text())
    listed = {c["name"]: c["hashes"][0]["content"] for c in bill["components"] if c["type"] == "file"}
    assert listed["model.onnx"] == digests(bundle)["model.onnx"]
    card = (bundle / "model_card.md").read_text()
    assert f"{found['challenger']['measurements']['accuracy']['value']:.3f}" in card.split("## The card of")[0]
    assert card.count("---\n") == 2, "the front matter of the old card was taken over"
    assert "dataset_card.md" not in load(bundle).manifest["files"]


def test_a_retrained_bundle_without_papers_before_has_a_card_alone(linear, made, tmp_path) -> None:
    retrain(linear, made.table(300, seed=1), out=tmp_path / "again")
    files = load(tmp_path / "again" / "bundle").manifest["files"]
    assert "model_card.md" in files
    assert Provenance.filename not in files
    assert "The card of the model before" not in (tmp_path / "again" / "bundle" / "model_card.md").read_text()
