"""A module whose gradient a test dictates, to check the arithmetic of weight techniques step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from temperance.core.batch import Batch
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer
from temperance.core.session import Session

Drive = Callable[[int, list[Tensor]], Sequence[Tensor]]


class Driven(nn.Module):
    """Holds given weights w0, w1 …; the loss Σ w·x has the gradient x. Shapes: (1, all weights) → (1,)."""

    def __init__(self, *weights: Tensor) -> None:
        super().__init__()
        for i, w in enumerate(weights):
            self.register_parameter(f"w{i}", nn.Parameter(w.detach().clone()))

    def forward(self, x: Tensor) -> Tensor:
        """Return x·w."""
        return x @ torch.cat([p.flatten() for p in self.parameters()])

    def weights(self) -> list[Tensor]:
        """Return the weights, without history."""
        return [p.detach() for p in self.parameters()]


def begin(one: Regularizer, starts: Sequence[Tensor], optimizer: Callable[[Any], Any], **settings: Any) -> Session:
    """Return a session of one technique on given weights.

    Shapes: starting weights of any shape.
    """
    model = Driven(*starts)
    return Recipe(one).attach(model, optimizer(model.parameters()), loss=lambda out, _: out, **settings)


def advance(session: Session, gradients: Sequence[Tensor]) -> list[Tensor]:
    """Take one step with these gradients; return the weights after it.

    Shapes: one gradient per weight, of its shape.
    """
    flat = torch.cat([g.flatten() for g in gradients]).unsqueeze(0)
    session.step(Batch(flat, torch.zeros(1)))
    return list(session.model.weights())  # type: ignore[operator]


def drive(session: Session, gradient: Drive, steps: int) -> list[Tensor]:
    """Take steps with ``gradient(step, weights)``; return the weights at the end.

    Shapes: those of the weights, any.
    """
    for t in range(steps):
        advance(session, gradient(t, session.model.weights()))  # type: ignore[operator]
    return list(session.model.weights())  # type: ignore[operator]


def waves() -> list[Tensor]:
    """Return fixed starting weights, float64 (4, 3) and (2, 4)."""
    first, second = torch.arange(12.0, dtype=torch.float64), torch.arange(8.0, dtype=torch.float64)
    return [torch.sin(first).reshape(4, 3), torch.cos(second).reshape(2, 4)]


def moving(t: int, weights: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradient of ¼·‖w − 2·sin(t/10 + i)‖², a target that moves; i counts the entries of one weight.

    Shapes: that of each weight.
    """
    counts = [torch.arange(w.numel(), dtype=w.dtype).reshape(w.shape) for w in weights]
    return [0.5 * (w - 2.0 * torch.sin(0.1 * t + i)) for w, i in zip(weights, counts, strict=True)]
