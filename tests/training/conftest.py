"""A small problem for the loop: 96 rows in a plane, two classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import temperance.regularizers
import temperance.signals  # noqa: F401
from temperance.core.recipe import Recipe
from temperance.training.loop import Examples, Trained, train
from temperance.training.settings import TrainSettings

SETTINGS = TrainSettings(epochs=6.0, batch_size=16, lr=1e-2)


def net(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))


@pytest.fixture(scope="session")
def rows() -> Examples:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(96, 2, generator=generator)
    return Examples(inputs, (inputs.sum(1) > 0).long())


@pytest.fixture
def run(rows: Examples) -> Callable[..., Trained]:
    """Train the small net with a recipe; keyword arguments go to ``train``."""

    def go(recipe: Recipe | None = None, **values: Any) -> Trained:
        settings = {"settings": SETTINGS, "seed": 1, **values}
        loss = nn.CrossEntropyLoss(reduction="none")
        return train(net(), rows, loss=loss, recipe=Recipe() if recipe is None else recipe, **settings)

    return go
