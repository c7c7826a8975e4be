"""What is checked before anything of a bundle is read."""

import json
import os

import pytest

from temperance.deployment.bundle import load
from temperance.deployment.manifest import MANIFEST, check_manifest
from temperance.records.errors import BundleError


@pytest.mark.parametrize("name", ["model.onnx", "bundle.json", "parity.npz", "weights.safetensors", "model_card.md"])
def test_a_changed_byte_or_a_cut_file_is_named(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name} was changed or damaged"):
        load(copy)
    (copy / name).write_bytes(data[:-3])
    with pytest.raises(BundleError, match=f"{name} has .* bytes"):
        load(copy)
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"lacks the file {name}"):
        load(copy)


def test_foreign_newer_and_missing_folders(copy, tmp_path, change):
    with pytest.raises(BundleError, match="no folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        load(tmp_path / "empty")
    change(copy, MANIFEST, lambda body: body.update(schema=2))
    with pytest.raises(BundleError, match=r"newer Temperance .*Update Temperance"):
        load(copy)
    change(copy, MANIFEST, lambda body: body.update(format="mlflow"))
    with pytest.raises(BundleError, match="not a Temperance bundle"):
        load(copy)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "\xff", '{"format": "temperance-bundle", "schema": "1"}', "[" * 100_000]
)
def test_a_manifest_that_is_no_manifest(copy, text):
    (copy / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(BundleError):
        load(copy)


def test_paths_outside_the_folder_and_links_are_refused(copy, change):
    for name in ("../secret", "/etc/passwd", "a\\..\\b"):
        change(copy, MANIFEST, lambda body, name=name: body["files"].update({name: {"sha256": "0", "bytes": 0}}))
        with pytest.raises(BundleError, match="inside its own folder"):
            load(copy)
        change(copy, MANIFEST, lambda body, name=name: body["files"].pop(name))
    load(copy)
    target = copy.parent / "elsewhere.onnx"
    (copy / "model.onnx").rename(target)
    os.symlink(target, copy / "model.onnx")
    with pytest.raises(BundleError, match="no links"):
        load(copy)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a\\b", "a\0b", "..", "a/./b", "", "a//b", "x" * 5000, "a/" * 20 + "b"]
)
def test_names_of_files_are_checked_before_they_are_used(copy, name):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="the bundle names the file"):
        check_manifest(copy)
