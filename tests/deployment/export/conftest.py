"""A small net as a bundle, with rows that judge it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from temperance.data.preprocess import Preprocess
from temperance.deployment import Extras, Network
from temperance.deployment.basic import basic_part
from temperance.deployment.write import write_bundle
from temperance.models import ModelInfo, build
from temperance.models.loss import combine
from temperance.monitoring import reference
from temperance.records.table import Table


class Net:
    """The default net with weights as drawn, so that its answers are spread."""

    def __init__(self, schema, rows, target):
        self.schema, self.rows, self.target = schema, rows, target
        self.preprocess = Preprocess.fit(Table(schema, rows, target))
        info = ModelInfo(
            self.preprocess.width, self.preprocess.cardinalities, schema.target.outputs, schema.target.task, None, 400
        )
        self.module = build("tabular", info, 0).eval()
        with torch.no_grad():
            self.module.output.weight *= 20

    def predict(self, rows):
        features = self.preprocess.transform(rows)
        with torch.no_grad():
            out = self.module(torch.from_numpy(features.numeric), torch.from_numpy(features.categorical)).double()
        if self.schema.target.task == "regression":
            value = combine(out, task="regression").numpy()
            return value * self.preprocess.target_sd + self.preprocess.target_mean
        return combine(out, task=self.schema.target.task).numpy()


@pytest.fixture(scope="session")
def net(kit, binary, tmp_path_factory):
    rows, target = kit.table_of(binary)
    model = Net(binary, rows, target)
    normal = reference.build(rows, model.predict(rows), binary, target=target)
    bundle = write_bundle(
        tmp_path_factory.mktemp("net") / "b", part=Network.of(model.module, model.preprocess, binary), schema=binary,
        predictor=model, rows=rows, extras=Extras(reference=normal),
    )  # fmt: skip
    truth = model.predict(rows).argmax(axis=1)
    return SimpleNamespace(bundle=bundle, rows=rows, truth=truth, model=model)


@pytest.fixture(scope="session")
def trees(kit, binary, tmp_path_factory):
    model = kit.Fitted("boosting", binary)
    bundle = write_bundle(
        tmp_path_factory.mktemp("trees") / "b", part=basic_part(model.fitted, binary), schema=binary, predictor=model,
        rows=model.rows,
    )  # fmt: skip
    return SimpleNamespace(bundle=bundle, rows=model.rows, truth=np.asarray(model.target))


@pytest.fixture(scope="session")
def line(kit, regression, tmp_path_factory):
    model = kit.Fitted("linear", regression)
    bundle = write_bundle(
        tmp_path_factory.mktemp("line") / "b", part=basic_part(model.fitted, regression), schema=regression,
        predictor=model, rows=model.rows,
    )  # fmt: skip
    return SimpleNamespace(bundle=bundle, rows=model.rows, truth=np.asarray(model.target))
