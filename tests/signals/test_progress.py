"""Counts of the training."""

import math

import pytest
import torch
from torch import nn

from temperance import Recipe
from temperance.signals.progress import Progress


def session(**plan):
    model = nn.Linear(2, 1)
    loss = lambda out, y: (out.squeeze(-1) - y).square()  # noqa: E731
    return Recipe().attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss, **plan)


def test_progress_counts_steps_over_the_plan():
    one = session(epochs=2, steps_per_epoch=5)
    for _ in range(4):
        one.step((torch.ones(3, 2), torch.ones(3)))
    assert Progress().measure(one.probe()) == {"progress": 0.4, "epoch": pytest.approx(0.8), "step": 4.0}


def test_unknown_plan_is_nan():
    assert math.isnan(Progress().measure(session().probe())["progress"])
