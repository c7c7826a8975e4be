"""What the shapes share: digits with wrong labels, one plain net, one plain loop, scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import Recipe
from temperance.core.batch import Batch
from temperance.core.session import Session


class Split(NamedTuple):
    """Training rows (``y`` as given, ``clean`` as it is), rows for a controller, test rows with clean labels."""

    x: Tensor
    y: Tensor
    clean: Tensor
    held_x: Tensor
    held_y: Tensor
    test_x: Tensor
    test_y: Tensor

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Batch]:
        order = torch.randperm(len(self.x), generator=generator)
        for rows in order.split(size):
            yield Batch(self.x[rows], self.y[rows], index=rows)

    @property
    def held(self) -> list[Batch]:
        return [Batch(self.held_x, self.held_y)]


def split(x: Any, y: Any, seed: int, rows: int, *, noise: float = 0.0, held: int = 0) -> Split:
    """Draw training, controller and test rows; turn a share of the first two's labels into another class."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    classes = int(y.max()) + 1
    given = y.copy()
    seen = order[: rows + held]
    wrong = seen[rng.random(len(seen)) < noise]
    given[wrong] = (y[wrong] + rng.integers(1, classes, len(wrong))) % classes
    train, kept, test = order[:rows], order[rows : rows + held], order[rows + held :]
    inputs, labels, truth = torch.from_numpy(x).float(), torch.from_numpy(given).long(), torch.from_numpy(y).long()
    return Split(inputs[train], labels[train], truth[train], inputs[kept], labels[kept], inputs[test], truth[test])


def digits(seed: int, rows: int, *, images: bool = False, **settings: Any) -> Split:
    """Return the bundled 8 × 8 digits, scaled to [0, 1]."""
    x, y = load_digits(return_X_y=True)
    x = x / 16.0
    return split(x.reshape(-1, 1, 8, 8) if images else x, y, seed, rows, **settings)


def mlp(seed: int, inputs: int = 64, outputs: int = 10, width: int = 256) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


def losses(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(outputs, targets, reduction="none")


def adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)


def sgd(rate: float) -> Callable[[nn.Module], torch.optim.Optimizer]:
    return lambda model: torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)


def train(
    recipe: Recipe,
    model: nn.Module,
    data: Split,
    *,
    epochs: int,
    size: int,
    seed: int,
    optimizer: Callable[[nn.Module], torch.optim.Optimizer] = adam,
    cosine: bool = False,
    each: Callable[[Session], bool | None] | None = None,
    **settings: Any,
) -> Session:
    """Train for some epochs; ``each(session)`` is called after every epoch and ends the training by True."""
    own = optimizer(model)
    steps = -(-len(data.x) // size)
    session = recipe.attach(
        model.train(), own, loss=losses, epochs=epochs, steps_per_epoch=steps, seed=seed, select=None, **settings
    )
    anneal = torch.optim.lr_scheduler.CosineAnnealingLR(own, epochs * steps) if cosine else None
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in data.batches(size, generator):
            session.step(batch)
            if anneal is not None:
                anneal.step()
        if each is not None and each(session):
            break
    return session


@torch.no_grad()
def predict(model: nn.Module, x: Tensor) -> Tensor:
    """Return logits in evaluation mode; the mode is put back."""
    was = model.training
    out: Tensor = model.eval()(x)
    model.train(was)
    return out


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    return float((predict(model, x).argmax(1) == y).double().mean())


def log_loss(model: nn.Module, x: Tensor, y: Tensor) -> float:
    return float(losses(predict(model, x).double(), y).mean())


def calibration_error(model: nn.Module, x: Tensor, y: Tensor, bins: int = 15) -> float:
    """Return the expected calibration error in equal bins of confidence."""
    confidence, chosen = predict(model, x).double().softmax(1).max(1)
    right = (chosen == y).double()
    place = (confidence * bins).long().clamp(max=bins - 1)
    gaps = torch.zeros(bins, dtype=torch.float64).index_add(0, place, confidence - right)
    return float(gaps.abs().sum() / len(y))


def robust_accuracy(model: nn.Module, x: Tensor, y: Tensor, eps: float, steps: int = 20) -> float:
    """Return the accuracy after projected gradient steps of 2.5·eps/steps, from a random start, inside [0, 1]."""
    was = model.training
    model.eval()
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(0))
    moved = (x + (2 * noise - 1) * eps).clamp(0, 1)
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        (slope,) = torch.autograd.grad(losses(model(moved), y).sum(), moved)
        moved = moved.detach() + 2.5 * eps / steps * slope.sign()
        moved = torch.minimum(torch.maximum(moved, x - eps), x + eps).clamp(0, 1)
    model.train(was)
    return accuracy(model, moved.detach(), y)
