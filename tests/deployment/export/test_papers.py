"""The papers of an export hold for the export: files, origin, and no signature of other files."""

import json
import shutil

import pytest

from temperance.deployment.bundle import load
from temperance.deployment.export import export_bundle
from temperance.governance.provenance import ENVELOPE, EXPORT, FILENAME
from temperance.governance.signature import new_key
from temperance.lifecycle.papers import write_papers
from temperance.lifecycle.verifying import failed, sign_bundle, verify_bundle
from temperance.testing.study_example import study_example


def test_an_exported_bundle_keeps_its_papers_and_can_be_signed_anew(net, tmp_path):
    pytest.importorskip("cryptography")
    shutil.copytree(net.bundle.folder, tmp_path / "bundle")
    write_papers(tmp_path, study_example())
    new_key(tmp_path / "mine")
    sign_bundle(tmp_path / "bundle", tmp_path / "mine")
    source, out = load(tmp_path / "bundle"), tmp_path / "out"
    export_bundle(source, "onnx", out, rows=net.rows, truth=net.truth)
    found = {check.name: check for check in verify_bundle(out)}
    assert found["files"].state == "holds", found["files"].words
    assert not failed(list(found.values()))
    assert not (out / ENVELOPE).exists()
    statement = json.loads((out / FILENAME).read_text())
    made = statement["predicate"]["buildDefinition"]
    assert made["buildType"] == EXPORT
    assert made["externalParameters"]["export"] == {"target": "onnx", "form": "as it is"}
    assert source.version in made["resolvedDependencies"][-1]["name"]
    sign_bundle(out, tmp_path / "mine")
    assert not failed(verify_bundle(out, key=tmp_path / "mine.pub"))


def test_the_bill_lists_the_files_of_the_export(net, tmp_path):
    shutil.copytree(net.bundle.folder, tmp_path / "bundle")
    write_papers(tmp_path, study_example())
    export_bundle(load(tmp_path / "bundle"), "cpu", tmp_path / "out", rows=net.rows, truth=net.truth, max_drop=0.02)
    before, after = (
        json.loads((tmp_path / name / "bill_of_materials.cdx.json").read_text()) for name in ("bundle", "out")
    )
    digests = {p["name"]: p["hashes"][0]["content"] for p in after["components"] if p["type"] == "file"}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]
    assert digests == {
        name: entry["sha256"]
        for name, entry in manifest.items()
        if name not in ("bill_of_materials.cdx.json", FILENAME)
    }
    assert after["serialNumber"] != before["serialNumber"]
    assert [p for p in before["components"] if p["type"] != "file"] == [
        p for p in after["components"] if p["type"] != "file"
    ]


def test_a_bundle_without_papers_gets_none(net, tmp_path):
    export_bundle(net.bundle, "onnx", tmp_path / "out")
    assert not (tmp_path / "out" / FILENAME).exists()
