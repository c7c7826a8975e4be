"""A form as a bundle of its own."""

import json
import shutil

import numpy as np
import pytest

from temperance.deployment.bundle import load
from temperance.deployment.export.derive import derive
from temperance.deployment.export.forms import FORMS
from temperance.deployment.export.gate import Judge
from temperance.deployment.export.program.write import graph_of
from temperance.records.errors import BundleError


@pytest.fixture(scope="module")
def made(net, tmp_path_factory):
    one = Judge(net.bundle, net.rows, net.truth, most_drop=1.0).judge(
        FORMS["int8 dynamic"], graph_of(net.bundle), net.bundle.blocks
    )
    out = tmp_path_factory.mktemp("derived") / "deep" / "small"
    return one, derive(net.bundle, one, out, told={"target": "edge"})


def test_it_loads_verifies_and_answers_as_its_graph_does(net, made):
    one, bundle = made
    again = load(bundle.folder)
    assert again.verify() <= one.tolerance
    assert again.version != net.bundle.version
    assert np.abs(again.predict(net.rows) - net.bundle.predict(net.rows)).max() == pytest.approx(one.difference)


def test_the_card_says_where_it_comes_from(net, made):
    _, bundle = made
    told = bundle.card["details"]["export"]
    assert (told["form"], told["from_version"], told["target"]) == ("int8 dynamic", net.bundle.version, "edge")
    assert bundle.card["parity"]["tolerance"] == 0.02
    assert "weights.safetensors" not in bundle.manifest["files"]
    assert bundle.reference is not None


def test_a_folder_that_exists_stays_as_it_is(net, made, tmp_path):
    one, _ = made
    (tmp_path / "keep").write_text("mine")
    with pytest.raises(BundleError, match="exists"):
        derive(net.bundle, one, tmp_path, told={})
    assert [p.name for p in tmp_path.iterdir()] == ["keep"]


def test_a_looser_tolerance_than_any_form_has_is_refused(made, tmp_path, change):
    import shutil

    shutil.copytree(made[1].folder, tmp_path / "b")

    def loosen(card):
        card["parity"]["tolerance"] = 0.5

    change(tmp_path / "b", "bundle.json", loosen)
    with pytest.raises(BundleError, match="allows differences"):
        load(tmp_path / "b")
    assert json.loads((tmp_path / "b" / "bundle.json").read_text())["parity"]["tolerance"] == 0.5


def test_a_signature_of_other_files_stays_behind(net, made, tmp_path):
    from temperance.deployment.manifest import add_texts

    one, _ = made
    source = tmp_path / "source"
    shutil.copytree(net.bundle.folder, source)
    add_texts(source, {"provenance.json": "{}", "provenance.dsse.json": "{}", "model_card.md": "x"})
    files = derive(load(source), one, tmp_path / "small", told={}).manifest["files"]
    assert "model_card.md" in files
    assert "provenance.dsse.json" not in files
