"""The whole of an export: a table of forms, the best one as a bundle, the rest refused in words."""

import json

import numpy as np
import pytest

from temperance.deployment.bundle import load
from temperance.deployment.export import Limits, export_bundle
from temperance.deployment.export.targets import TABLE, TARGETS, table
from temperance.records.errors import BundleError


@pytest.mark.parametrize("target", ["cpu", "edge", "gpu", "onnx"])
def test_a_target_gets_a_bundle_that_answers(net, target, tmp_path):
    said = []
    done = export_bundle(
        net.bundle, target, tmp_path / "out", rows=net.rows, truth=net.truth, max_drop=0.02, say=said.append
    )
    assert [one.name for one in done.candidates] == [*TARGETS[target].forms]
    assert done.chosen in TARGETS[target].forms
    made = load(tmp_path / "out")
    assert np.abs(made.predict(net.rows) - net.bundle.predict(net.rows)).mean() < 0.01
    kept = json.loads((tmp_path / "out" / TABLE).read_text())
    assert kept["chosen"] == done.chosen
    assert (done.edge is not None) == (target == "edge")
    assert len(said) >= len(TARGETS[target].forms)
    rows = table(done)
    assert sum(row[-1] == "ships" for row in rows) == 1
    assert rows[0][5] == "log loss"


def test_edge_takes_the_smallest_that_passes(net, tmp_path):
    done = export_bundle(net.bundle, "edge", tmp_path / "out", rows=net.rows, truth=net.truth, max_drop=0.02)
    free = [one for one in done.candidates if not one.refused]
    assert next(one for one in free if one.name == done.chosen).bytes <= 1.1 * min(one.bytes for one in free)
    assert not any(one.get("torch") for one in done.edge.values())


def test_without_rows_the_graph_ships_as_it_is(net, tmp_path):
    done = export_bundle(net.bundle, "edge", tmp_path / "out")
    assert done.chosen == "as it is"
    assert any("no rows" in note for note in done.notes)


def test_trees_stay_as_they_are_and_it_is_said_why(trees, tmp_path):
    done = export_bundle(trees.bundle, "cpu", tmp_path / "out", rows=trees.rows, truth=trees.truth)
    assert done.chosen == "as it is"
    assert all("no large arrays" in one.refused for one in done.candidates[1:])


def test_limits_that_nothing_keeps_name_every_form(net, tmp_path):
    with pytest.raises(BundleError, match=r"as it is: it has .* bytes") as fault:
        export_bundle(net.bundle, "edge", tmp_path / "out", rows=net.rows, truth=net.truth, limits=Limits(bytes=1000))
    assert all(name in str(fault.value) for name in TARGETS["edge"].forms)
    assert not (tmp_path / "out").exists()


def test_torch_writes_a_program(net, tmp_path):
    done = export_bundle(net.bundle, "torch", tmp_path / "out", rows=net.rows, truth=net.truth)
    assert done.program["difference"] < 1e-5
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["golden.npz", "model.json", "model.pt2"]
