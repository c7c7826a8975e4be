"""Nets from raw rows through both whole paths, by rules and by torch's exporter."""

from dataclasses import replace

import numpy as np
import orjson
import pytest
import torch
from torch import nn

from temperance.data.preprocess import Preprocess
from temperance.deployment.base import model_graph
from temperance.deployment.basic import basic_part
from temperance.deployment.bundle import load
from temperance.deployment.ensemble import Ensemble
from temperance.deployment.network import Network
from temperance.deployment.parity import gate
from temperance.deployment.serve import app
from temperance.deployment.sketch import Sketch, fill
from temperance.deployment.write import Exported, write_bundle
from temperance.models import ModelInfo, build
from temperance.models.loss import combine
from temperance.records.errors import BundleError, RequestError
from temperance.records.schema import Rows, Schema, Target
from temperance.records.table import Table

torch.set_num_threads(1)
TASKS = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}


class Trained:
    """A net with its preprocessing as a ``Predictor``: the path that evaluation measures."""

    def __init__(self, schema, rows, target, name, temperature=1.0, **settings):
        self.schema, self.rows, self.temperature = schema, rows, temperature
        self.fitted = Preprocess.fit(Table(schema, rows, target))
        task = schema.target
        info = ModelInfo(
            self.fitted.width, self.fitted.cardinalities, task.outputs, task.task, schema.image_shape, rows.size
        )
        self.net = build(name, info, 0, **settings).eval()
        with torch.no_grad():
            for p in self.net.parameters():
                p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())) * 0.1)

    def predict(self, rows):
        features = self.fitted.transform(rows)
        inputs = (features.numeric, features.categorical) if features.images is None else (features.images,)
        with torch.no_grad():
            outputs = self.net(*map(torch.from_numpy, inputs))
            target = self.schema.target
            answer = combine(
                outputs.double(), task=target.task, temperature=self.temperature, counts=target.counts
            ).numpy()
        return self.fitted.unscale_target(answer) if self.schema.target.task == "regression" else answer

    def part(self, **settings):
        part = Network.of(self.net, self.fitted, self.schema, temperature=self.temperature)
        return Network(**{**part.__dict__, **settings})

    def exported(self, **settings):
        graph = model_graph(self.part(**settings), Sketch(self.schema), self.schema.target)
        return Exported(self.schema, graph.SerializeToString())


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["tabular", "plain"])
def test_tables_agree_on_both_paths(kit, name, task):
    schema = kit.schema_of(task, TASKS[task])
    model = Trained(schema, *kit.table_of(schema), name, temperature=1.0 if task == "regression" else 1.7)
    scale = 1000.0 if task == "regression" else 0.0
    assert gate(model, model.exported(exporter="rules"), model.rows, schema, scale=scale) < 1e-5


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_tables_of_one_kind_of_column(kit, kind):
    whole = kit.schema_of()
    rows, target = kit.table_of(whole)
    schema = Schema(getattr(whole, kind), whole.target)
    empty = {"numeric": "categorical", "categorical": "numeric"}[kind]
    rows = rows._replace(**{empty: getattr(rows, empty)[:, :0]})
    model = Trained(schema, rows, target, "tabular")
    assert gate(model, model.exported(exporter="rules"), rows, schema, scale=0.0) < 1e-5


@pytest.fixture(scope="module", params=["resnet", "convnet", "even convnet", "two-sided convnet"])
def images(request):
    settings = {"even": {"even": True, "grid": 1}, "two-sided": {"both_sides": True}}.get(request.param.split()[0], {})
    schema = Schema((), Target("y", "multiclass", ("a", "b", "c")), "images", (12, 10, 3))
    pixels = np.random.default_rng(0).integers(0, 256, (40, 12, 10, 3)).astype(np.uint8)
    rows = Rows(np.empty((40, 0)), np.empty((40, 0), dtype=np.int32), pixels)
    return Trained(schema, rows, np.arange(40) % 3, request.param.split()[-1], **settings)


def test_images_agree_on_both_paths(images):
    assert gate(images, images.exported(exporter="rules"), images.rows, images.schema, scale=0.0) < 1e-5


def test_torch_exporter_steps_in_for_operations_without_a_rule(kit, binary):
    class Odd(nn.Module):
        def forward(self, numeric, categorical):
            return torch.atan2(numeric[:, :2], categorical[:, :2] + 1.0)

    model = Trained(binary, *kit.table_of(binary), "plain")
    model.net = Odd()
    with pytest.raises(BundleError, match="by rule: operation atan2"):
        model.exported(exporter="rules")
    assert gate(model, model.exported(), model.rows, binary, scale=0.0) < 1e-5


def test_new_weights_fill_the_graph_without_a_new_export(kit, binary):
    model = Trained(binary, *kit.table_of(binary), "tabular", members=2, width=8)
    graph = model_graph(model.part(), Sketch(binary), binary.target)
    with torch.no_grad():
        for p in model.net.parameters():
            p.mul_(1.3)
    filled = Exported(binary, fill(graph, model.part().arrays()).SerializeToString())
    assert gate(model, filled, model.rows, binary, scale=0.0) < 1e-5
    stale = Exported(binary, graph.SerializeToString())
    assert np.abs(stale.predict(model.rows) - model.predict(model.rows)).max() > 1e-3


@pytest.mark.parametrize("keywords", [False, True])
def test_inputs_by_order_or_by_name(kit, binary, keywords):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(6, 2)

        def forward(self, categorical, numeric):
            return self.table(categorical).sum(1) + numeric[:, :2]

    model = Trained(binary, *kit.table_of(binary), "plain")
    model.net = Named()
    inputs = ("numeric", "categorical") if keywords else ("categorical", "numeric")
    exported = model.exported(inputs=inputs, keywords=keywords)
    features = model.fitted.transform(model.rows)
    with torch.no_grad():
        outputs = model.net(*map(torch.from_numpy, (features.categorical, features.numeric)))
    expected = torch.softmax(outputs.double(), 1).numpy()
    assert np.abs(exported.predict(model.rows) - expected).max() < 1e-6


@pytest.mark.parametrize(
    ("function", "message"),
    [(lambda n, c: n.sum(0), "batch"), (lambda n, c: n[:, :3], "3 outputs"), (lambda n, c: n[:, :1].mean(0), "batch")],
)
def test_outputs_that_do_not_fit_are_refused(kit, binary, function, message):
    class Wrong(nn.Module):
        def forward(self, numeric, categorical):
            return function(numeric, categorical)

    model = Trained(binary, *kit.table_of(binary), "plain")
    with pytest.raises(BundleError, match=message):
        model.exported(module=Wrong())


def test_the_net_keeps_its_mode_and_weights(kit, binary):
    model = Trained(binary, *kit.table_of(binary), "plain")
    model.net.train()
    before = {name: value.clone() for name, value in model.net.state_dict().items()}
    model.exported()
    assert model.net.training
    assert all(torch.equal(value, before[name]) for name, value in model.net.state_dict().items())


def test_an_image_bundle_is_written_loaded_and_served(images, tmp_path):
    bundle = write_bundle(tmp_path / "b", part=images.part(), schema=images.schema, predictor=images, rows=images.rows)
    assert np.abs(load(tmp_path / "b").predict(images.rows) - images.predict(images.rows)).max() < 1e-5
    assert bundle.card["inputs"][0]["datatype"] == "UINT8"
    application, picture = app(bundle), images.rows.images[0]
    asked = application.answering.asked_rows(orjson.dumps({"image": picture.tolist()}))
    row = orjson.loads(asked.reply(application.serve(asked.rows)).head)
    tensor = {"name": "image", "shape": [1, 12, 10, 3], "datatype": "UINT8", "data": picture.ravel().tolist()}
    asked = application.answering.asked_tensors(orjson.dumps({"inputs": [tensor]}))
    infer = orjson.loads(asked.reply(application.serve(asked.rows)).head)
    assert list(row["probabilities"].values()) == infer["outputs"][0]["data"]
    tensor["data"][5] = 256
    with pytest.raises(RequestError, match="0–255"):
        application.answering.asked_tensors(orjson.dumps({"inputs": [tensor]}))


def test_an_ensemble_of_a_net_and_trees_is_one_graph(kit, binary, tmp_path):
    net = Trained(binary, *kit.table_of(binary), "tabular", members=4, width=16)
    trees = kit.Fitted("boosting", binary)

    class Both:
        schema = binary

        def predict(self, rows):
            return 0.3 * net.predict(rows) + 0.7 * trees.predict(rows)

    part = Ensemble((net.part(), basic_part(trees.fitted, binary)), (0.3, 0.7))
    bundle = write_bundle(tmp_path / "b", part=part, schema=binary, predictor=Both(), rows=net.rows)
    assert bundle.card["parity"]["largest_difference"] < 1e-5
    assert {name.split(".")[0] for name in part.arrays()} == {"member_0", "member_1"}


@pytest.mark.parametrize("name", ["tabular", "plain"])
def test_counts_agree_on_both_paths(kit, name):
    schema = kit.schema_of("regression", ())
    schema = replace(schema, target=replace(schema.target, counts=True))
    rows, target = kit.table_of(schema)
    model = Trained(schema, rows, np.abs(target), name)
    assert model.fitted.target_mean == 0.0
    assert model.fitted.target_sd == pytest.approx(np.abs(target).mean())
    scale = float(np.std(model.predict(rows)))
    assert gate(model, model.exported(exporter="rules"), model.rows, schema, scale=scale) < 1e-5
    assert model.exported(exporter="rules").predict(rows).min() > 0
