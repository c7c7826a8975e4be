"""Drawing a tape: names of weights, sizes that follow the batch."""

import pytest
import torch
from torch import nn

from temperance.deployment.aten.emitter import Emitter, numpy_dtype
from temperance.deployment.aten.tape import BatchSize, Unsupported
from temperance.deployment.sketch import WEIGHT, Sketch
from temperance.records.schema import Column, Schema, Target


def weights_of(graph):
    return {t.name.removeprefix(WEIGHT) for t in graph.graph.initializer if t.name.startswith(WEIGHT)}


def test_weights_keep_their_names(kit):
    graph = kit.compare(nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2)), (6,))
    assert weights_of(graph) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_weights_that_are_not_used_are_left_out(kit):
    module = kit.Call(lambda m, x: m.used(x), used=nn.Linear(6, 2), spare=nn.Linear(6, 2))
    assert weights_of(kit.compare(module, (6,))) == {"used.weight", "used.bias"}


def test_a_tied_weight_is_stored_once(kit):
    module = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    module[1].weight = module[0].weight
    assert weights_of(kit.compare(module, (6,))) == {"0.weight", "0.bias", "1.bias"}


def test_shapes_are_constants_unless_they_follow_the_batch():
    sketch = Sketch(Schema((Column("x", "numeric"),), Target("y", "regression")))
    emitter = Emitter(sketch, "numeric")
    assert emitter.shape([2, 3]) == emitter.integers([2, 3])
    moving = emitter.shape([BatchSize(2), 3])
    assert moving.startswith("concat")
    assert emitter.size(BatchSize(1)) == emitter.size(BatchSize(1))


def test_types_without_a_numpy_twin_are_named():
    assert numpy_dtype(torch.float32) == "float32"
    with pytest.raises(Unsupported, match="bfloat16"):
        numpy_dtype(torch.bfloat16)
