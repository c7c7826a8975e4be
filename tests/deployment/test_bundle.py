"""Loading: whole bundles predict, and everything else is refused with a clear error."""

import json
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.bundle import check_difference, load, read_arrays, schema_digest
from temperance.deployment.write import Interval, write_bundle
from temperance.records.decision import Costs, Decision
from temperance.records.errors import BundleError
from temperance.records.predictor import Predictor


def test_a_bundle_predicts_like_the_model(shipped, linear):
    bundle = load(shipped)
    assert isinstance(bundle, Predictor)
    assert bundle.schema == linear.schema
    assert np.abs(bundle.predict(linear.rows, chunk=64) - linear.predict(linear.rows)).max() < 1e-12
    assert bundle.predict(linear.rows.take(slice(0, 0))).shape == (0, 2)
    assert bundle.verify() < 1e-12
    assert bundle.recipe["trace"] == [{"step": 1}]
    assert bundle.reference is not None
    assert bundle.card["details"] == {"trial": "t001"}
    assert bundle.card["inputs"][1] == {
        "name": "categorical", "datatype": "BYTES", "shape": [-1, 2], "columns": ["c0", "c1"]
    }  # fmt: skip


def test_an_interval_belongs_to_regression(shipped, linear):
    bundle = load(shipped)
    assert not bundle.has_interval
    with pytest.raises(BundleError, match="no interval"):
        bundle.interval(linear.rows)


def test_intervals_of_a_regression(kit, regression, tmp_path):
    model = kit.Fitted("linear", regression)
    residuals = model.predict(model.rows) - model.target
    part, interval = basic_part(model.fitted, regression), Interval.of(residuals)
    bundle = write_bundle(
        tmp_path / "b", part=part, schema=regression, predictor=model, rows=model.rows, interval=interval
    )
    low, high = bundle.interval(model.rows)
    covered = ((low <= model.target) & (model.target <= high)).mean()
    assert 0.89 <= covered <= 0.92
    narrow = bundle.interval(model.rows, level=0.5)
    assert (narrow[1] - narrow[0] < high - low).all()
    with pytest.raises(BundleError, match=r"level 0\.42"):
        bundle.interval(model.rows, level=0.42)


def test_half_widths_are_the_conformal_ranks():
    interval = Interval.of(np.arange(1, 20) * -1.0)
    assert dict(zip(interval.levels, interval.half_widths, strict=True)) == {
        0.5: 10.0,
        0.8: 16.0,
        0.9: 18.0,
        0.95: 19.0,
    }
    with pytest.raises(BundleError, match="residuals"):
        Interval.of(np.arange(5))


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.pop("schema"),
        lambda body: body.update(schema=3),
        lambda body: body.update(outputs=[]),
        lambda body: body.update(inputs=[{"name": "numeric"}]),
        lambda body: body["outputs"][0].update(name="value"),
        lambda body: body.pop("parity"),
    ],
)
def test_a_bundle_json_that_does_not_fit_the_graph(copy, edit, change):
    change(copy, "bundle.json", edit)
    with pytest.raises(BundleError):
        load(copy)


def test_another_graph_in_place_fails_the_replay(copy, kit, binary, tmp_path, change):
    other = kit.Fitted("boosting", binary)
    write_bundle(tmp_path / "o", part=basic_part(other.fitted, binary), schema=binary, predictor=other, rows=other.rows)
    shutil.copy(tmp_path / "o" / "model.onnx", copy / "model.onnx")
    change(copy, "model.onnx")
    with pytest.raises(BundleError, match="golden rows differs"):
        load(copy)
    assert load(copy, verify=False).predict(other.rows).shape == (400, 2)


def test_pickled_arrays_are_refused(copy, change):
    np.savez(copy / "parity.npz", expected=np.array([{}], dtype=object))
    change(copy, "parity.npz")
    with pytest.raises(BundleError, match=r"parity\.npz cannot be read"):
        load(copy)
    (copy / "x.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(BundleError, match=r"x\.npz cannot be read"):
        read_arrays(copy / "x.npz")


def test_differences_are_absolute_for_shares_and_relative_for_values():
    shares = np.array([[0.5, 0.5]])
    assert check_difference(shares + 9e-6, shares, "it") == pytest.approx(9e-6)
    with pytest.raises(BundleError, match="differs by 2e-05"):
        check_difference(shares + 2e-5, shares, "it")
    assert check_difference(np.array([1e6 + 1]), np.array([1e6]), "it") == pytest.approx(1e-6)
    assert check_difference(np.array([1e-6]), np.array([0.0]), "it", scale=1.0) == pytest.approx(1e-6)
    with pytest.raises(BundleError, match="missing or infinite"):
        check_difference(np.array([np.nan]), np.array([0.0]), "it")
    with pytest.raises(BundleError, match="shape"):
        check_difference(np.zeros(2), np.zeros(3), "it")


def test_loading_needs_neither_torch_nor_onnx_nor_frames(shipped):
    code = (
        "import sys; from temperance.deployment import load; b = load(sys.argv[1]);"
        "bad = {'torch', 'onnx', 'polars', 'sklearn', 'pandas', 'scipy', 'safetensors'} & set(sys.modules);"
        "print(sorted(bad)); sys.exit(bool(bad))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(shipped)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_a_bundle_with_costs_answers_by_them(copy, change, linear):
    plain = load(copy)
    assert plain.decision is None
    chances = plain.predict(linear.rows)
    assert plain.answers(chances).tolist() == chances.argmax(axis=1).tolist()
    decision = Decision(Costs.of([("yes", "no", 9)], ("no", "yes")), n=100)
    change(copy, "bundle.json", lambda card: card.update(decision=decision.to_dict()))
    careful = load(copy)
    assert careful.decision == decision
    assert careful.answers(chances).tolist() == (chances[:, 1] >= 0.1).astype(int).tolist()


@pytest.mark.parametrize(("key", "value"), [("costs", [[0.0]]), ("classes", ["a", "b"]), ("threshold", "high")])
def test_damaged_costs_are_refused(copy, change, key, value):
    decision = Decision(Costs.of([("yes", "no", 9)], ("no", "yes"))).to_dict()
    change(copy, "bundle.json", lambda card: card.update(decision={**decision, key: value}))
    with pytest.raises(BundleError, match="costs"):
        _ = load(copy).decision


def test_levels_are_answered_by_the_middle_one(copy, change, linear):
    change(copy, "bundle.json", lambda card: card["schema"]["target"].update(ordered=True))
    chances = np.array([[0.4, 0.6], [0.5, 0.5]])
    assert load(copy, verify=False).answers(chances).tolist() == [1, 0]


@pytest.mark.parametrize("entry", ["name", "version"])
@pytest.mark.parametrize("name", ["../x", "a/b", "", "a b", "x\n", "<b>"])
def test_a_name_that_is_not_plain_is_refused(copy, change, entry, name):
    change(copy, "bundle.json", lambda body: body.update({entry: name}))
    with pytest.raises(BundleError, match="letters, digits"):
        load(copy)


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body["schema"]["target"]["classes"].reverse(),
        lambda body: body["classes"].reverse(),
        lambda body: (body["classes"].reverse(), body["schema"]["target"]["classes"].reverse()),
        lambda body: body["inputs"][0]["columns"].reverse(),
        lambda body: (body["inputs"][1]["columns"].reverse(), body["schema"]["columns"].reverse()),
        lambda body: body["schema"]["columns"][0].update(source="x1"),
        lambda body: body["schema"]["columns"][0].update(format=",."),
    ],
)
def test_names_that_were_changed_are_refused(copy, change, edit):
    change(copy, "bundle.json", edit)
    with pytest.raises(BundleError, match="columns or classes"):
        load(copy)


def signed_again(folder, change, edit):
    """Change ``bundle.json`` and sign everything that is signed: the golden rows' schema and the manifest."""
    change(folder, "bundle.json", edit)
    body = json.loads((folder / "bundle.json").read_text())
    golden = dict(np.load(folder / "parity.npz"))
    np.savez(folder / "parity.npz", **{**golden, "schema": np.array(schema_digest(body["schema"]))})
    change(folder, "parity.npz")


@pytest.mark.parametrize("stated", [False, True])
@pytest.mark.parametrize("classes", [["0"], ["0", "1", "2"]])
def test_a_count_of_classes_that_the_graph_does_not_answer_is_refused(copy, change, classes, stated):
    def edit(body):
        body["schema"]["target"].update(classes=classes)
        body.update(classes=classes)

    signed_again(copy, change, edit)
    if stated:  # the graph's own statement is changed with it
        graph = onnx.load(copy / "model.onnx")
        graph.graph.output[0].type.tensor_type.shape.dim[1].dim_value = len(classes)
        onnx.save(graph, copy / "model.onnx")
        change(copy, "model.onnx")
    with pytest.raises(BundleError, match=r"model\.onnx answers"):
        load(copy)
