"""A function that draws a module by rules and compares it with torch."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from temperance.deployment.aten import draw_module
from temperance.deployment.aten.tape import BatchSize
from temperance.deployment.bundle import session
from temperance.deployment.sketch import Sketch
from temperance.records.schema import Column, Schema, Target

torch.set_num_threads(1)


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function, **modules):
        super().__init__()
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x):
        return self.function(self, x)


def compare(module, shape, tolerance=2e-6, seed=0):
    """Draw ``module`` on inputs (b, *shape) and compare at 1, 2 and 33 rows."""
    generator = torch.Generator().manual_seed(seed)
    module.eval()
    width = int(np.prod(shape))
    columns = tuple(Column(f"x{i}", "numeric") for i in range(width))
    sketch = Sketch(Schema(columns, Target("y", "regression")))
    source = sketch.add("Reshape", sketch.cast("numeric", np.float32), sketch.constant([-1, *shape]))
    value = draw_module(sketch, module, lambda b: ((torch.randn(b, *shape, generator=generator),), {}), [source])
    assert isinstance(value.shape[0], BatchSize)
    graph = sketch.finish({"out": (sketch.cast(value.name, np.float64), ["b"] + ["s"] * (len(value.shape) - 1))})
    runner = session(graph.SerializeToString())
    for rows in (1, 2, 33):
        x = torch.randn(rows, *shape, generator=generator)
        with torch.no_grad():
            expected = module(x).double().numpy()
        actual = runner.run(None, {"numeric": x.reshape(rows, -1).double().numpy()})[0]
        assert actual.shape == expected.shape
        assert np.abs(actual - expected).max() <= tolerance * max(1.0, np.abs(expected).max())
    return graph


@pytest.fixture
def kit() -> SimpleNamespace:
    torch.manual_seed(0)
    return SimpleNamespace(Call=Call, compare=compare)
