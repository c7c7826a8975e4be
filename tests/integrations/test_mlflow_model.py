"""A bundle as a model of MLflow: what MLflow reads, and what it calls."""

import json

import numpy as np
import pytest

from temperance.cli.models import open_bundle
from temperance.deployment.basic import basic_part
from temperance.deployment.write import Interval, write_bundle
from temperance.integrations.mlflow_model import MODULE, _load_pyfunc, described, records, save_model
from temperance.models.basic import BASIC
from temperance.records.errors import BundleError, DataError, RequestError
from temperance.records.schema import Column, Rows, Schema, Target

ROW = {"size": 1.5, "colour": "red"}


def bundle_of(folder, task):
    columns = (
        Column("size", "numeric", "size"),
        Column("colour", "categorical", "colour", vocabulary=("red", "green")),
    )
    classes = () if task == "regression" else ("no", "yes")
    schema = Schema(columns, Target("answer", task, classes))
    random = np.random.default_rng(0)
    rows = Rows(random.normal(size=(200, 1)), random.integers(0, 2, (200, 1)).astype(np.int32))
    target = rows.numeric[:, 0] + rows.categorical[:, 0]
    target = target if task == "regression" else (target > 0.5).astype(int)
    fitted = BASIC["linear"]().fit(rows, target, schema=schema, valid=(rows, target))
    return write_bundle(
        folder, part=basic_part(fitted, schema), schema=schema, predictor=fitted, rows=rows,
        interval=Interval.of(fitted.predict(rows) - target) if task == "regression" else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    return bundle_of(tmp_path_factory.mktemp("classes") / "b", "binary")


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    return bundle_of(tmp_path_factory.mktemp("values") / "b", "regression")


class Frame:
    """As much of a pandas frame as is used."""

    def __init__(self, rows, index=None):
        self.rows, self.index = rows, index

    def to_dict(self, kind):
        assert kind == "records"
        return self.rows


def test_the_folder_is_one_that_mlflow_reads(classes, tmp_path):
    out = save_model(classes, tmp_path / "m")
    pytest.importorskip("pandas")  # mlflow-skinny needs it to read a signature
    models = pytest.importorskip("mlflow.models.model")
    found = models.Model.load(str(out))
    flavour = found.flavors["python_function"]
    assert (flavour["loader_module"], flavour["data"]) == (MODULE, "bundle")
    assert open_bundle(out / "bundle").version == classes.version
    assert found.signature.inputs.input_names() == ["size", "colour"]
    assert found.signature.outputs.input_names() == ["prediction", "probability_no", "probability_yes"]
    assert "temperance==" in (out / "requirements.txt").read_text()
    with pytest.raises(BundleError, match="exists"):
        save_model(classes, out)


def test_rows_of_every_kind_get_the_answers_of_the_bundle(classes, tmp_path):
    model = _load_pyfunc(str(save_model(classes, tmp_path / "m") / "bundle"))
    rows = Rows(np.array([[1.5], [np.nan]]), np.array([[0], [-1]], dtype=np.int32))
    expected = classes.predict(rows)
    listed = [ROW, {"size": float("nan"), "colour": None}]
    for given in (listed, {"size": np.array([1.5, np.nan]), "colour": np.array(["red", None], dtype=object)}):
        found = model.predict(given)
        assert [one["probability_yes"] for one in found] == pytest.approx(expected[:, 1].tolist())
        assert {one["prediction"] for one in found} <= {"no", "yes"}
    framed = model.predict(Frame(listed, index=[7, 8]))
    assert (framed.index, len(framed.rows)) == ([7, 8], 2)


def test_values_come_with_their_interval(values):
    from temperance.integrations.mlflow_model import BundleModel

    one = BundleModel(values).predict([ROW])[0]
    assert one["low"] < one["prediction"] < one["high"]
    names = [entry["name"] for entry in json.loads(described(values)["signature"]["outputs"])]
    assert names == ["prediction", "low", "high"]


def test_what_is_no_row_is_named(classes):
    from temperance.integrations.mlflow_model import BundleModel

    model = BundleModel(classes)
    for given, said in [(7, "int"), ([], "no rows"), ({"size": [1, 2], "colour": ["red"]}, "different lengths")]:
        with pytest.raises(DataError, match=said):
            records(given)
    with pytest.raises(DataError, match="params"):
        model.predict([ROW], {"k": 1})
    with pytest.raises(RequestError, match="colour"):
        model.predict([{"size": 1.0}])
