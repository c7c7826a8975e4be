"""Tiny problems on which every technique must prove itself: one per kind of model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from temperance.core.batch import Batch, map_leaves

ROWS, CLASSES = 12, 3


@dataclass(frozen=True)
class Problem:
    """A model and batches of three classes, or of numbers.

    Attributes:
        name: short name.
        build: makes the module; the same weights each time.
        inputs: makes the inputs of one batch from a generator.
        numeric: targets are numbers (regression, squared error), not classes.

    """

    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[torch.Generator], Any]
    numeric: bool = False

    def model(self, dtype: torch.dtype = torch.float32) -> nn.Module:
        """Return the module with its starting weights; the global generator stays as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            return self.build().to(dtype)

    def batch(self, number: int, dtype: torch.dtype = torch.float32) -> Batch:
        """Return batch ``number``; always the same."""
        generator = torch.Generator().manual_seed(number)
        inputs = map_leaves(lambda x: x.to(dtype) if x.is_floating_point() else x, self.inputs(generator))
        targets = torch.randint(0, CLASSES, (ROWS,), generator=generator)
        if self.numeric:
            targets = torch.randn(ROWS, generator=generator).to(dtype)
        return Batch(inputs, targets, index=torch.arange(number * ROWS, (number + 1) * ROWS))

    @staticmethod
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy per row, (b,); for numbers the squared error."""
        if targets.is_floating_point() and targets.dim() == 1:
            return (outputs.squeeze(-1) - targets) ** 2
        return functional.cross_entropy(outputs, targets, reduction="none")


class Residual(nn.Module):
    """x + branch(x); the branch marks itself for stochastic depth."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(*layers)
        self.branch.residual_branch = True  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        """Return x + branch(x).

        Shapes: (b, …) → the same.
        """
        return x + self.branch(x)  # type: ignore[no-any-return]


class Embedded(nn.Module):
    """An MLP over numeric columns and embedded categories; called as ``model(numeric=…, categorical=…)``."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.layers = nn.Sequential(
            nn.Linear(10, 8), nn.ReLU(), Residual(nn.Linear(8, 8), nn.ReLU()), nn.Linear(8, CLASSES)
        )

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Return logits. Shapes: numeric (b, 4), categorical (b, 2) → (b, 3)."""
        return self.layers(torch.cat([numeric, self.embedding(categorical).flatten(1)], 1))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """One head of self-attention. Shapes: (b, t, d) → (b, t, d)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Attend."""
        q, k, v = self.project(x).chunk(3, -1)
        scores = torch.softmax(q @ k.transpose(-1, -2) / x.shape[-1] ** 0.5, -1)
        return self.out(scores @ v)  # type: ignore[no-any-return]


class Transformer(nn.Module):
    """One block over short sequences of vectors."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.entry = nn.Linear(4, width)
        self.blocks = nn.Sequential(
            Residual(nn.LayerNorm(width), Attention(width)),
            Residual(nn.LayerNorm(width), nn.Linear(width, 16), nn.GELU(), nn.Linear(16, width)),
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of the mean token. Shapes: (b, t, 4) → (b, 3)."""
        return self.head(self.blocks(self.entry(x)).mean(1))  # type: ignore[no-any-return]


class Recurrent(nn.Module):
    """A GRU and a small head."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 6, batch_first=True)
        self.head = nn.Sequential(nn.ReLU(), Residual(nn.Linear(6, 6), nn.Tanh()), nn.Linear(6, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of the last state. Shapes: (b, t, 4) → (b, 3)."""
        return self.head(self.gru(x)[0][:, -1])  # type: ignore[no-any-return]


def _mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 8), nn.ReLU(), Residual(nn.Linear(8, 8), nn.ReLU()), nn.Flatten(), nn.Linear(8, CLASSES)
    )


def _regressor() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), Residual(nn.Linear(8, 8), nn.ReLU()), nn.Linear(8, 1))


def _convnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
        Residual(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, CLASSES),
    )  # fmt: skip


def _normal(*shape: int) -> Callable[[torch.Generator], Tensor]:
    return lambda generator: torch.randn(ROWS, *shape, generator=generator)


def _mixed_columns(generator: torch.Generator) -> dict[str, Tensor]:
    return {
        "numeric": torch.randn(ROWS, 4, generator=generator),
        "categorical": torch.randint(0, 5, (ROWS, 2), generator=generator),
    }


PROBLEMS: dict[str, Problem] = {
    one.name: one
    for one in (
        Problem("mlp", _mlp, _normal(6)),
        Problem("convnet", _convnet, _normal(1, 6, 6)),
        Problem("embeddings", Embedded, _mixed_columns),
        Problem("transformer", Transformer, _normal(5, 4)),
        Problem("rnn", Recurrent, _normal(5, 4)),
        Problem("regression", _regressor, _normal(6), numeric=True),
    )
}
