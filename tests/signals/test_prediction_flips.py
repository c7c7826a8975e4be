"""Flips equal a brute-force count."""

import math

import torch
from torch import nn

from temperance import LabelWave, MixUp, Recipe
from temperance.core.batch import Batch


def attached(recipe, rate=0.5):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    return recipe.attach(model, optimizer, loss=nn.CrossEntropyLoss(reduction="none"))


def rows(n=40):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(n, 4, generator=generator), torch.randint(0, 3, (n,), generator=generator)


def test_equals_brute_force_over_epochs_with_shuffled_and_split_batches():
    x, y = rows()
    session, last, found, expected = attached(Recipe(controller=LabelWave(patience=1000))), None, [], []
    for epoch in range(6):
        order = torch.randperm(40, generator=torch.Generator().manual_seed(epoch))
        now = torch.zeros(40, dtype=torch.long)
        for part in order.split(8):
            passed = session.step([Batch(x[i], y[i], index=i) for i in part.split(4)])
            now[part] = torch.cat([o.detach().argmax(1) for o in passed.outputs])
        found.append(session.validate([(x, y)])["prediction_flips"])
        expected.append(math.nan if last is None else float((now != last).sum()))
        last = now
    assert math.isnan(found[0])
    assert found[1:] == expected[1:]
    assert max(found[1:]) > 0


def test_rows_seen_once_only_do_not_count_and_a_missing_index_is_left_out():
    x, y = rows()
    session = attached(Recipe(controller=LabelWave()))
    session.step(Batch(x[:10], y[:10], index=torch.arange(10)))
    session.validate([(x, y)])
    session.step(Batch(x[5:15], y[5:15], index=torch.arange(5, 15)))
    session.step(Batch(x, y))
    got = session.validate([(x, y)])
    memory = session.signal_memory("prediction_flips")
    assert memory["last"].shape == (15,)
    assert got["prediction_flip_share"] == got["prediction_flips"] / 5


def test_the_loop_that_owns_its_backward_counts_too():
    x, y = rows()
    session = attached(Recipe(controller=LabelWave()), rate=0.0)
    for _ in range(2):
        session.loss(Batch(x, y, index=torch.arange(40))).backward()
        session.update()
        session.optimizer.zero_grad()
        got = session.validate([(x, y)])
    assert got["prediction_flips"] == 0.0


def test_mixed_rows_are_left_out():
    x, y = rows()
    session = attached(Recipe(MixUp(1.0), controller=LabelWave()))
    for _ in range(2):
        session.step(Batch(x, y, index=torch.arange(40)))
        got = session.validate([(x, y)])
    assert math.isnan(got["prediction_flips"])
