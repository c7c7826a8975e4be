"""Raw rows in, probabilities or values out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from temperance.data import Preprocess, read
from temperance.models import ModelInfo, build
from temperance.records.predictor import Predictor
from temperance.records.schema import Rows
from temperance.records.table import Table
from temperance.training.predictor import NetPredictor, as_logits, examples, net_inputs


def table(target: list[object]) -> Table:
    rng = np.random.default_rng(0)
    count = len(target)
    words = ["u", "v", "w"]
    data = {"a": 100 + 5 * rng.normal(size=count), "c": [words[i % 3] for i in range(count)], "y": target}
    return read(data, target="y").table


@pytest.fixture(scope="module")
def classes() -> NetPredictor:
    found = table(["p", "q"] * 30)
    preprocess = Preprocess.fit(found, np.arange(60))
    info = ModelInfo(preprocess.width, preprocess.cardinalities, 2, "binary", None, 60)
    return NetPredictor(found.schema, preprocess, build("plain", info, seed=0))


def test_probabilities_sum_to_one_whatever_the_rows(classes: NetPredictor) -> None:
    rows = Rows(np.array([[100.0], [np.nan], [1e30], [-np.inf]]), np.array([[0], [-1], [-2], [2]], dtype=np.int32))
    answer = classes.predict(rows)
    assert isinstance(classes, Predictor)
    assert answer.shape == (4, 2)
    assert answer.dtype == np.float64
    assert np.allclose(answer.sum(axis=1), 1, atol=1e-15)


def test_many_rows_are_predicted_in_parts_and_none_is_fine(
    classes: NetPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows(np.linspace(80, 120, 50)[:, None], np.zeros((50, 1), dtype=np.int32))
    whole = classes.predict(rows)
    monkeypatch.setattr("temperance.training.predictor.CHUNK", 7)
    assert np.allclose(classes.predict(rows), whole, atol=1e-7)
    assert classes.predict(rows.take(slice(0, 0))).shape == (0, 2)


def test_another_net_on_the_same_path(classes: NetPredictor) -> None:
    class Even(nn.Module):
        def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
            return torch.zeros(len(numeric), 2)

    rows = Rows(np.zeros((3, 1)), np.zeros((3, 1), dtype=np.int32))
    assert np.array_equal(classes.on(Even()).predict(rows), np.full((3, 2), 0.5))


def test_values_come_back_in_the_units_of_the_target() -> None:
    found = table([float(1000 + i) for i in range(60)])
    preprocess = Preprocess.fit(found, np.arange(60))

    class Zero(nn.Module):
        def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
            return torch.zeros(len(numeric), 1)

    predictor = NetPredictor(found.schema, preprocess, Zero())
    assert predictor.predict(found.rows) == pytest.approx(np.full(60, 1029.5))
    ready = examples(preprocess, found, np.arange(60), torch.device("cpu"))
    assert float(ready.targets.mean()) == pytest.approx(0, abs=1e-5)
    assert float(ready.targets.std(correction=0)) == pytest.approx(1, abs=1e-5)
    assert ready.targets.dtype == torch.float32


def test_a_users_net_gets_one_tensor_without_categories() -> None:
    rng = np.random.default_rng(0)
    found = read((rng.normal(size=(40, 3)), [0, 1] * 20), task="classification").table
    preprocess = Preprocess.fit(found, np.arange(40))
    alone = net_inputs(preprocess, found.schema, found.rows, torch.device("cpu"), own=False)
    ours = net_inputs(preprocess, found.schema, found.rows, torch.device("cpu"))
    assert isinstance(alone, Tensor)
    assert torch.equal(alone, ours[0])
    assert ours[1].shape == (40, 0)
    assert examples(preprocess, found, np.arange(5), torch.device("cpu")).targets.dtype == torch.int64


def test_one_logit_becomes_two_and_values_keep_their_shape() -> None:
    one = as_logits(torch.tensor([0.0, 2.0]), "binary")
    assert torch.equal(one, torch.tensor([[0.0, 0.0], [0.0, 2.0]]))
    assert as_logits(torch.zeros(4, 3, 1), "binary").shape == (4, 3, 2)
    assert as_logits(torch.zeros(4), "regression").shape == (4, 1)
    assert as_logits(torch.zeros(4, 5), "multiclass").shape == (4, 5)


def test_weights_of_the_table_lie_beside_the_examples() -> None:
    found = replace(table(["p", "q"] * 10), weight=np.arange(20.0))
    index = np.array([3, 7])
    shown = examples(Preprocess.fit(found, np.arange(20)), found, index, torch.device("cpu"))
    assert shown.weight is not None
    assert shown.weight.tolist() == [3.0, 7.0]
    assert shown.batch(torch.tensor([1])).weight.tolist() == [7.0]  # type: ignore[union-attr]


def test_members_weighed_by_their_shares_are_the_answer() -> None:
    for target in (["p", "q"] * 30, list(np.linspace(5, 9, 60))):
        found = table(target)
        preprocess = Preprocess.fit(found, np.arange(60))
        task = found.schema.target.task
        info = ModelInfo(preprocess.width, preprocess.cardinalities, found.schema.target.outputs, task, None, 60)
        one = NetPredictor(found.schema, preprocess, build("Tabular", info, seed=0))
        rows = found.rows.take(np.arange(7))
        members = one.members(rows)
        shares = np.array(one.member_shares(members.shape[1]))
        assert members.shape[1] > 1
        assert shares.sum() == pytest.approx(1)
        assert np.allclose(np.tensordot(members, shares, axes=(1, 0)), one.predict(rows), atol=1e-5)


def test_a_net_without_members_has_one(classes: NetPredictor) -> None:
    rows = Rows(np.array([[100.0], [90.0]]), np.array([[0], [1]], dtype=np.int32))
    assert np.allclose(classes.members(rows)[:, 0], classes.predict(rows), atol=1e-9)
    assert classes.member_shares(1) == (1.0,)
