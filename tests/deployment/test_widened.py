"""Models that take the numbers of blocks: both whole paths, and the bundle on disk."""

import numpy as np
import pytest
import torch

from temperance.data.blocks import BLOCKS, Block, Blocks, fit_blocks
from temperance.data.preprocess import Preprocess
from temperance.deployment.base import model_graph
from temperance.deployment.basic import KINDS, basic_part
from temperance.deployment.bundle import load
from temperance.deployment.ensemble import Ensemble
from temperance.deployment.network import Network
from temperance.deployment.parity import gate
from temperance.deployment.sketch import Sketch
from temperance.deployment.widened import Widened
from temperance.deployment.write import Exported, write_bundle
from temperance.models import ModelInfo, build
from temperance.models.basic import BASIC
from temperance.records.errors import BundleError
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table
from temperance.training.predictor import NetPredictor

torch.set_num_threads(1)


class Level(Block):
    """The mean of each channel above that of the training rows."""

    def __init__(self, mean):
        self.mean = mean

    @classmethod
    def fit(cls, rows, schema):
        return (cls(rows.series.mean(axis=(0, 2), dtype=np.float64)),)

    @property
    def names(self):
        return tuple(f"level {j}" for j in range(len(self.mean)))

    @property
    def sources(self):
        return self.names

    def transform(self, rows):
        return (rows.series.mean(axis=2, dtype=np.float64) - self.mean).astype(np.float32)

    def to_arrays(self):
        return {"mean": self.mean}, {}

    @classmethod
    def from_arrays(cls, arrays, settings):
        return cls(arrays["mean"])


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(BLOCKS, "_own", {"Level": Level})


def problem(*, alone):
    """Return series of two channels, alone or beside a number and a category."""
    random = np.random.default_rng(0)
    waves = random.normal(size=(300, 2, 12)).astype(np.float32) + random.normal(size=(300, 2, 1)).astype(np.float32)
    columns = () if alone else (Column("a", "numeric"), Column("c", "categorical", vocabulary=("x", "y")))
    columns += (Column("left", "series"), Column("right", "series"))
    numeric = np.where(random.random((300, 1)) < 0.1, np.nan, random.normal(size=(300, 1)))
    codes = random.integers(-1, 2, (300, 1)).astype(np.int32)
    rows = Rows(numeric[:, : len(columns) - 3 if not alone else 0], codes[:, : 0 if alone else 1], series=waves)
    target = (waves[:, 0].mean(axis=1) > 0).astype(np.int64)
    return Table(Schema(columns, Target("y", "binary", ("no", "yes"))), rows, target)


class Basic:
    def __init__(self, name, table):
        self.schema, blocks = table.schema, Blocks(fit_blocks(table.rows, table.schema), table.schema)
        settings = {"most_trees": 20} if BASIC[name].needs or name == "boosting" else {}
        valid = (table.rows, table.target)
        self.fitted = BASIC[name](**settings).fit(
            table.rows, table.target, schema=table.schema, valid=valid, inputs=blocks
        )

    def predict(self, rows):
        return self.fitted.predict(rows)

    def part(self):
        return basic_part(self.fitted, self.schema)


def net(table):
    fitted = Preprocess.fit(table)
    module = build("Tabular", ModelInfo(fitted.width, fitted.cardinalities, 2, "binary", None, 300), 0, members=2)
    return NetPredictor(table.schema, fitted, module.eval()), Network.of(module, fitted, table.schema)


def exported(part, schema):
    sketch = Sketch(schema)
    graph = model_graph(part, sketch, schema.target)
    return Exported(schema, graph.SerializeToString(), sketch.blocks)


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_basic_models_answer_alike_from_raw_rows(name, alone):
    if BASIC[name].needs:
        pytest.importorskip(BASIC[name].needs)
    table = problem(alone=alone)
    fitted = Basic(name, table)
    graph = exported(fitted.part(), table.schema)
    assert gate(fitted, graph, table.rows, table.schema, scale=0.0) < 1e-9
    if name != "majority":
        assert isinstance(fitted.part(), Widened)
        assert (fitted.predict(table.rows).argmax(axis=1) == table.target).mean() > 0.9  # the series decide


@pytest.mark.parametrize("alone", [True, False])
def test_nets_answer_alike_from_raw_rows(alone):
    table = problem(alone=alone)
    predictor, part = net(table)
    assert gate(predictor, exported(part, table.schema), table.rows, table.schema, scale=0.0) < 1e-5


def test_an_ensemble_shares_equal_blocks_and_its_bundle_answers_alike(tmp_path):
    table = problem(alone=False)
    basic, (predictor, drawn) = Basic("linear", table), net(table)
    part = Ensemble((basic.part(), drawn), (0.5, 0.5))

    class Both:
        schema = table.schema

        def predict(self, rows):
            return 0.5 * basic.predict(rows) + 0.5 * predictor.predict(rows)

    both = Both()
    bundle = write_bundle(tmp_path / "b", part=part, schema=table.schema, predictor=both, rows=table.rows)
    again = load(tmp_path / "b")
    assert len(again.blocks) == 1
    assert again.inputs == ["numeric", "categorical", "series"]
    np.testing.assert_allclose(again.predict(table.rows), both.predict(table.rows), atol=1e-5)
    np.testing.assert_array_equal(again.predict(table.rows), bundle.predict(table.rows))
    with pytest.raises(BundleError, match="rows without series"):
        again.predict(table.rows._replace(series=None))


def test_a_bundle_without_its_blocks_is_refused(tmp_path, change):
    table = problem(alone=True)
    basic = Basic("linear", table)
    write_bundle(tmp_path / "b", part=basic.part(), schema=table.schema, predictor=basic, rows=table.rows)
    change(tmp_path / "b", "manifest.json", lambda body: body["files"].pop("blocks.npz"))
    with pytest.raises(BundleError, match=r"lacks blocks\.npz"):
        load(tmp_path / "b")
