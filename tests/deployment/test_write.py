"""Writing: all or nothing, gated by parity."""

import os

import numpy as np
import pytest
from safetensors.numpy import load_file

from temperance.data import read
from temperance.data.blocks import fit_blocks
from temperance.deployment import Sketch, model_graph, write
from temperance.deployment.basic import basic_part
from temperance.deployment.bundle import load, read_arrays
from temperance.deployment.constant import Constant
from temperance.deployment.write import Exported, Extras, write_bundle
from temperance.records.errors import BundleError


class Off:
    """A predictor that is not the exported model."""

    def __init__(self, model, error):
        self.model, self.schema, self.error = model, model.schema, error

    def predict(self, rows):
        out = self.model.predict(rows)
        return out + np.where(np.isnan(rows.numeric).all(1), self.error, 0.0)[:, None] * [1, -1]


def settings(model, **changes):
    schema = model.schema
    part = basic_part(model.fitted, schema)
    return {"part": part, "schema": schema, "predictor": model, "rows": model.rows, **changes}


def test_a_failing_gate_writes_nothing(linear, tmp_path):
    with pytest.raises(BundleError, match="stress rows differs by 3e-05"):
        write_bundle(tmp_path / "b", **settings(linear, predictor=Off(linear, 3e-5)))
    assert list(tmp_path.iterdir()) == []
    write_bundle(tmp_path / "b", **settings(linear, predictor=Off(linear, 3e-6)))
    assert load(tmp_path / "b").card["parity"]["largest_difference"] == pytest.approx(3e-6, rel=1e-3)


def test_predictions_that_are_not_finite_are_refused(linear, tmp_path):
    class Broken(Off):
        def predict(self, rows):
            return self.model.predict(rows) * np.nan

    with pytest.raises(BundleError, match="not finite"):
        write_bundle(tmp_path / "b", **settings(linear, predictor=Broken(linear, 0)))


def test_an_older_bundle_is_replaced_and_other_folders_are_left_alone(linear, tmp_path):
    write_bundle(tmp_path / "b", **settings(linear, name="first"))
    write_bundle(tmp_path / "b", **settings(linear, name="second"))
    assert load(tmp_path / "b").name == "second"
    assert os.listdir(tmp_path) == ["b"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(BundleError, match="other files"):
        write_bundle(tmp_path / "mine", **settings(linear))
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match="not a folder"):
        write_bundle(tmp_path / "file", **settings(linear))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "x"


def test_a_full_disk_leaves_the_old_bundle(linear, tmp_path, monkeypatch):
    write_bundle(tmp_path / "b", **settings(linear, name="first"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "_golden", full)
    with pytest.raises(BundleError, match="No space left"):
        write_bundle(tmp_path / "b", **settings(linear, name="second"))
    assert load(tmp_path / "b").name == "first"
    assert os.listdir(tmp_path) == ["b"]


def test_golden_rows_hold_no_row_of_the_data(linear, tmp_path):
    write_bundle(tmp_path / "b", **settings(linear))
    golden = read_arrays(tmp_path / "b" / "parity.npz")
    real = {tuple(row) for row in linear.rows.numeric if np.isfinite(row).all()}
    assert len(golden["expected"]) >= 20
    assert not real & {tuple(row) for row in golden["numeric"]}


def test_weights_are_safetensors(linear, tmp_path):
    write_bundle(tmp_path / "b", **settings(linear))
    arrays = load_file(tmp_path / "b" / "weights.safetensors")
    assert np.array_equal(arrays["intercept"], linear.fitted.model.intercept_)


def test_the_same_model_gives_the_same_bytes(linear, tmp_path):
    for name in ("a", "b"):
        write_bundle(tmp_path / name, **settings(linear))
    for name in ("model.onnx", "bundle.json", "weights.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_text_file_stays_in_the_folder(linear, tmp_path):
    for name in ("../x.md", ".hidden", "a/b"):
        with pytest.raises(BundleError, match="plain file name"):
            write_bundle(tmp_path / "b", **settings(linear, extras=Extras(texts={name: "x"})))
    assert list(tmp_path.iterdir()) == []


def test_no_rows_no_gate(linear, tmp_path):
    with pytest.raises(BundleError, match="no rows"):
        write_bundle(tmp_path / "b", **settings(linear, rows=linear.rows.take(slice(0, 0))))


def test_the_size_counts_what_stands_beside_the_graph():
    draw = np.random.default_rng(0)
    words = [" ".join(draw.choice(["red", "blue", "green", "old", "new", "odd"], 6)) for _ in range(80)]
    table = read({"note": words, "x": draw.normal(size=80).tolist(), "y": ["a", "b"] * 40}, target="y").table
    blocks = fit_blocks(table.rows, table.schema)

    class Beside(Constant):
        def draw(self, sketch, target):
            sketch.block(blocks[0])
            return super().draw(sketch, target)

    half, sketch = Beside(np.array([0.5, 0.5])), Sketch(table.schema)
    graph = model_graph(half, sketch, table.schema.target).SerializeToString()
    assert Exported(table.schema, graph, sketch.blocks).size > len(graph) + 500
