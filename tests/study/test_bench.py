"""A net on the batch that it is priced on: rows of data, random rows, or a batch of its own; mistakes are told."""

import sys

import pytest
import torch
from torch import nn

from temperance.records.errors import TaskError
from temperance.study import bench
from temperance.study.task import Task


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """Let ``nets:NAME`` be a function."""

    class Nets:
        pass

    monkeypatch.setitem(sys.modules, "nets", Nets)
    return Nets


def words(info):
    net = nn.Sequential(nn.Embedding(info.largest + 1, 4), nn.Flatten(), nn.LazyLinear(info.outputs))
    net(torch.zeros(2, len(info.columns), dtype=torch.int64))
    return Task(net, inputs="tokens")


def test_rows_of_data_reach_a_net_as_in_a_study(tasks, tmp_path):
    lines = ["a,b,answer", *(f"{i % 7},{i % 5},{'yes' if i % 3 else 'no'}" for i in range(60))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    tasks.task = words
    found = bench.of_data(str(tmp_path / "t.csv"), "answer", task="nets:task", rows=20)
    assert found.batch.inputs.dtype == torch.int64
    assert found.batch.inputs.shape == (20, 2)
    assert found.model[0].num_embeddings == 7
    assert found.try_out() is None
    ours = bench.of_data(str(tmp_path / "t.csv"), "answer", task="", rows=500)
    assert ours.batch.size == 60
    assert ours.try_out() is None


def test_random_rows_and_a_batch_of_its_own(tasks):
    tasks.task = words
    assert bench.of_random("nets:task", rows=8, features=3, classes=2).try_out() is None
    batch = {"ids": torch.zeros(4, 3, dtype=torch.int64), "mask": torch.ones(4, 3), "labels": torch.zeros(4).long()}

    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(5, 4), nn.Linear(4, 2)

        def forward(self, ids, mask, labels=None):
            logits = self.head((self.embed(ids) * mask.unsqueeze(-1)).mean(1))
            loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
            return {"loss": loss, "logits": logits}

    tasks.own = lambda info: Task(Masked(), batch=batch)
    found = bench.of_random("nets:own", rows=8, features=3, classes=2)
    assert found.batch is batch
    assert found.loss is None
    assert found.try_out() is None


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (nn.Linear(5, 2), "cannot take a plain step"),
        (nn.Embedding(3, 2), "a tensor"),
    ],
)
def test_a_net_that_cannot_take_the_batch_is_told(tasks, net, said):
    tasks.task = lambda info: Task(net)
    with pytest.raises(TaskError, match=said):
        bench.of_random("nets:task", rows=8, features=3, classes=2).try_out()
