"""A module whose logits a test dictates, to check losses and targets number by number."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from temperance.core.batch import Batch
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer
from temperance.core.session import Session
from temperance.models.loss import cross_entropy

LOGITS = torch.sin(torch.arange(40, dtype=torch.float64) * 2.3).reshape(10, 4) * 3
LABELS = torch.arange(10) % 4
MEMBERS = torch.sin(torch.arange(120, dtype=torch.float64) * 1.3).reshape(10, 3, 4) * 3
PROBABILITIES = torch.softmax(LOGITS, -1).numpy()
RIGHT = PROBABILITIES[np.arange(10), LABELS.numpy()]


class Say(nn.Module):
    """Gives its inputs back as logits, shifted by one parameter that is 0. Shapes: any → the same."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, logits: Tensor) -> Tensor:
        """Return the logits.

        Shapes: any shape → the same.
        """
        return logits + self.shift


def attach(one: Regularizer, **settings: Any) -> Session:
    """Return a session of one technique on ``Say``; ``loss`` is the cross-entropy per row unless given."""
    model = Say()
    loss = settings.pop("loss", cross_entropy)
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, **settings)


def value(one: Regularizer, logits: Tensor, labels: Any, weight: Tensor | None = None, **settings: Any) -> Tensor:
    """Return the regularized loss () of these logits, without history."""
    return attach(one, **settings).loss(Batch(logits, labels, weight, torch.arange(len(logits)))).detach()
