"""A bundle is checked against its papers: what holds, each way to tamper with it, and the signature."""

from __future__ import annotations

import json
import shutil

import pytest

from temperance.deployment.manifest import write_manifest
from temperance.deployment.several import load_several, write_several
from temperance.governance.signature import new_key
from temperance.lifecycle.papers import write_papers
from temperance.lifecycle.verifying import failed, sign_bundle, verify_bundle, verify_several
from temperance.records.errors import BundleError, DataError
from temperance.testing.study_example import study_example


@pytest.fixture
def bundle(tmp_path, linear):
    """A bundle with papers that name the data it was made from."""
    shutil.copytree(linear, tmp_path / "bundle")
    document = study_example()
    named = json.loads((tmp_path / "bundle" / "bundle.json").read_text())["details"]["data"]
    document["data"]["sha256"] = named
    write_papers(tmp_path, document)
    return tmp_path / "bundle"


def states(*args, **kwargs):
    return {c.name: c.state for c in verify_bundle(*args, **kwargs)}


def test_a_sound_bundle_holds(bundle) -> None:
    assert states(bundle) == {
        "checksums": "holds", "answers": "holds", "files": "holds", "data": "holds", "signature": "not checked",
    }  # fmt: skip


def test_a_changed_file_fails_by_its_checksum(bundle) -> None:
    (bundle / "model_card.md").write_text("better than it is")
    assert states(bundle) == {"checksums": "fails"}


def test_a_changed_file_with_a_matching_manifest_fails_by_its_provenance(bundle) -> None:
    (bundle / "model_card.md").write_text("better than it is")
    write_manifest(bundle)
    found = {c.name: c for c in verify_bundle(bundle)}
    assert found["checksums"].state == "holds"
    assert found["files"].state == "fails"
    assert "model_card.md" in found["files"].words


def test_a_bundle_without_papers_is_not_checked_against_any(linear) -> None:
    found = states(linear)
    assert found["provenance"] == "not checked"
    assert not failed(verify_bundle(linear))


def test_a_provenance_that_is_no_statement_fails(bundle) -> None:
    (bundle / "provenance.json").write_text("{")
    write_manifest(bundle)
    assert states(bundle)["provenance"] == "fails"


def test_other_data_fail(bundle, tmp_path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n")
    assert states(bundle, data=other)["data file"] == "fails"
    with pytest.raises(DataError, match="no file"):
        verify_bundle(bundle, data=tmp_path / "none.csv")


class TestSigned:
    """With a key."""

    @pytest.fixture
    def keys(self, tmp_path):
        pytest.importorskip("cryptography", reason="pip install temperance[sign]")
        from temperance.governance.signature import new_key

        return tmp_path / "mine", new_key(tmp_path / "mine")

    def test_a_signed_bundle_holds_with_its_key_alone(self, bundle, keys, tmp_path) -> None:
        from temperance.governance.signature import new_key

        private, public = keys
        sign_bundle(bundle, private)
        assert states(bundle, key=public)["signature"] == "holds"
        assert states(bundle, key=new_key(tmp_path / "other"))["signature"] == "fails"
        assert states(bundle)["signature"] == "not checked"

    def test_who_rewrites_files_and_papers_cannot_rewrite_the_signature(self, bundle, keys) -> None:
        private, public = keys
        sign_bundle(bundle, private)
        statement = json.loads((bundle / "provenance.json").read_text())
        (bundle / "model_card.md").write_text("better than it is")
        import hashlib

        for row in statement["subject"]:
            row["digest"]["sha256"] = hashlib.sha256((bundle / row["name"]).read_bytes()).hexdigest()
        (bundle / "provenance.json").write_text(json.dumps(statement))
        write_manifest(bundle)
        found = states(bundle, key=public)
        assert (found["files"], found["signature"]) == ("holds", "fails")

    def test_a_key_for_an_unsigned_bundle_fails(self, bundle, keys) -> None:
        assert states(bundle, key=keys[1])["signature"] == "fails"

    def test_an_envelope_that_is_no_json_fails(self, bundle, keys) -> None:
        sign_bundle(bundle, keys[0])
        (bundle / "provenance.dsse.json").write_text("{")
        write_manifest(bundle)
        assert states(bundle, key=keys[1])["signature"] == "fails"

    def test_what_does_not_fit_is_not_signed(self, bundle, linear, keys) -> None:
        with pytest.raises(BundleError, match=r"provenance\.json"):
            sign_bundle(linear, keys[0])
        (bundle / "model_card.md").write_text("better than it is")
        write_manifest(bundle)
        with pytest.raises(BundleError, match="does not fit"):
            sign_bundle(bundle, keys[0])


def test_the_models_of_several_targets_are_verified_one_by_one_and_stay_whole_when_one_is_signed(
    bundle, tmp_path
) -> None:
    pytest.importorskip("cryptography")
    target = json.loads((bundle / "bundle.json").read_text())["schema"]["target"]["name"]
    both = tmp_path / "both"
    write_several(both, [("1_a", target, bundle), ("2_b", target, bundle)])
    new_key(tmp_path / "mine")
    sign_bundle(both / "1_a", tmp_path / "mine")
    found = {check.name: check for check in verify_several(both)}
    assert not failed(list(found.values()))
    assert found["list"].state == "holds"
    assert "It is signed" in found["1_a: signature"].words
    assert "It is not signed" in found["2_b: signature"].words
    assert len(load_several(both).parts) == 2
    (both / "2_b" / "manifest.json").write_text("{}")
    assert [(check.name, check.state) for check in verify_several(both)] == [("list", "fails")]
