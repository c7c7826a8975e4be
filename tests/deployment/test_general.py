"""Torch's exporter as the way out, on one small module with an operation that has no rule."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance.deployment.aten import Unsupported, draw_module
from temperance.deployment.aten.tape import BatchSize
from temperance.deployment.bundle import session
from temperance.deployment.general import draw_general
from temperance.deployment.sketch import WEIGHT, Sketch, fill
from temperance.records.errors import BundleError
from temperance.records.schema import Column, Schema, Target

SCHEMA = Schema(tuple(Column(f"x{i}", "numeric") for i in range(6)), Target("y", "regression"))


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))

    def forward(self, x):
        return self.inner(x) * torch.atan2(x[:, :2], x[:, 2:4])


def feed(rows):
    return (torch.randn(rows, 6, generator=torch.Generator().manual_seed(rows)),), {}


def run(graph, x):
    return session(graph.SerializeToString()).run(None, {"numeric": x.double().numpy()})[0]


def test_the_export_agrees_and_its_weights_can_be_filled():
    torch.manual_seed(0)
    module = Odd().eval()
    with pytest.raises(Unsupported, match="atan2"):
        draw_module(Sketch(SCHEMA), module, feed, ["numeric"])
    sketch = Sketch(SCHEMA)
    value = draw_general(sketch, module, feed, [sketch.cast("numeric", np.float32)])
    assert value.shape == (BatchSize(1), 2)
    graph = sketch.finish({"out": (sketch.cast(value.name, np.float64), ["b", 2])})
    names = {t.name.removeprefix(WEIGHT) for t in graph.graph.initializer if t.name.startswith(WEIGHT)}
    assert {"inner.0.weight", "inner.1.running_mean", "inner.4.bias"} <= names
    with torch.no_grad():
        for rows in (1, 9):
            x = feed(rows)[0][0]
            assert np.abs(run(graph, x) - module(x).numpy()).max() < 1e-6
        for p in module.parameters():
            p.mul_(1.5)
        filled = fill(graph, {name: p.numpy() for name, p in module.state_dict().items()})
        assert np.abs(run(filled, x) - module(x).numpy()).max() < 1e-6


def test_a_refusal_names_the_reason():
    class Branch(nn.Module):
        def forward(self, x):
            return x[:, :2] * (2 if x.sum() > 0 else 1)

    with pytest.raises(BundleError, match="exporter refused"):
        draw_general(Sketch(SCHEMA), Branch().eval(), feed, ["numeric"])


@pytest.mark.slow
def test_a_net_that_holds_for_one_count_of_rows_is_refused():
    class Fixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.GRU(1, 2, batch_first=True)

        def forward(self, x):
            states, _ = self.cell(x.unsqueeze(-1))
            return states[torch.arange(len(states)), x.sum(1).long().clamp(0, 5)]

    with pytest.raises(BundleError, match="one fixed count of rows"):
        draw_general(Sketch(SCHEMA), Fixed().eval(), feed, ["numeric"])
