"""The linear model on images: the graph from raw pixels gives what scikit-learn gives, for every task and size."""

import numpy as np
import orjson
import pytest

from temperance.deployment.base import model_graph
from temperance.deployment.basic import basic_part
from temperance.deployment.bundle import load
from temperance.deployment.parity import gate
from temperance.deployment.serve import app
from temperance.deployment.sketch import Sketch
from temperance.deployment.write import Exported, write_bundle
from temperance.models.basic import Linear
from temperance.records.errors import BundleError
from temperance.records.schema import Rows, Schema, Target

CLASSES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}


class Pictures:
    """A linear model on images as a ``Predictor``: brightness of the upper half decides."""

    def __init__(self, task, shape, classes=None):
        random = np.random.default_rng(0)
        self.schema = Schema((), Target("y", task, CLASSES[task]), "images", shape)
        images = random.integers(0, 256, (240, *shape)).astype(np.uint8)
        light = random.integers(0, 3, 240)
        images[:, : shape[0] // 2] //= (light[:, None, None, None] + 1).astype(np.uint8)
        self.rows = Rows(np.empty((240, 0)), np.empty((240, 0), dtype=np.int32), images)
        self.target = light * 500.0 if task == "regression" else np.minimum(light, len(CLASSES[task]) - 1)
        kept = np.isin(self.target, classes) if classes else np.ones(240, bool)
        valid = (self.rows.take(kept), self.target[kept])
        self.fitted = Linear().fit(*valid, schema=self.schema, valid=valid)

    def predict(self, rows):
        return self.fitted.predict(rows)

    def part(self):
        return basic_part(self.fitted, self.schema)


def exported(model):
    return Exported(
        model.schema, model_graph(model.part(), Sketch(model.schema), model.schema.target).SerializeToString()
    )


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 1), (9, 33, 3), (20, 7, 3)])
@pytest.mark.parametrize("task", CLASSES)
def test_both_paths_agree_to_the_last_digits(task, shape):
    model = Pictures(task, shape)
    scale = 500.0 if task == "regression" else 0.0
    assert gate(model, exported(model), model.rows, model.schema, scale=scale) < 1e-12


def test_a_class_that_training_never_saw_keeps_its_place():
    model = Pictures("multiclass", (20, 20, 1), classes=(0, 2))
    graph = exported(model)
    assert gate(model, graph, model.rows, model.schema, scale=0.0) < 1e-12
    assert graph.predict(model.rows)[:, 1].max() < 1e-5


def test_images_of_another_size_are_refused():
    model = Pictures("binary", (20, 20, 1))
    for shape in ((20, 21, 1), (20, 20, 3), None):
        other = Schema((), model.schema.target, "images" if shape else "table", shape)
        with pytest.raises(BundleError, match="20 × 20"):
            model.part()._means(Sketch(other))


def test_a_bundle_is_written_loaded_and_served(tmp_path):
    model = Pictures("multiclass", (20, 18, 3))
    bundle = write_bundle(tmp_path / "b", part=model.part(), schema=model.schema, predictor=model, rows=model.rows)
    expected = model.predict(model.rows)
    assert np.abs(load(tmp_path / "b").predict(model.rows) - expected).max() < 1e-12
    one = app(bundle).answering
    asked = one.asked_rows(orjson.dumps({"image": model.rows.images[0].tolist()}))
    answer = orjson.loads(asked.reply(one.serve(asked.rows)).head)
    np.testing.assert_allclose(list(answer["probabilities"].values()), expected[0], atol=1e-12)
