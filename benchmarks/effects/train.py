"""One training of one problem with or without a technique, and its scores on the test rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from benchmarks.effects.problems import Data, Problem
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from temperance import Recipe
from temperance.core.batch import Batch
from temperance.core.regularizer import Regularizer

LR, SIZE = 2e-3, 64
BINS = 15


def rows(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return cross-entropy for classes, squared error for numbers, (b,)."""
    if targets.is_floating_point() and targets.dim() == 1:
        return (outputs.squeeze(1) - targets) ** 2
    return F.cross_entropy(outputs, targets, reduction="none")


def fit(
    recipe: Recipe,
    model: nn.Module,
    data: Data,
    epochs: int,
    seed: int,
    *,
    constant: bool = False,
    loss: Callable[[Any, Any], Tensor] = rows,
) -> nn.Module:
    """Train with AdamW and a cosine (or constant) rate; return the module with the weights that would be served."""
    held = []
    if needs_rows(recipe):
        keep = len(data.x) - len(data.x) // 5
        held = [Batch(data.x[keep:], data.y[keep:])]
        data = replace(data, x=data.x[:keep], y=data.y[:keep])
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.0)
    steps = -(-len(data.x) // SIZE)
    session = recipe.attach(
        model.train(), optimizer, loss=loss, epochs=epochs, steps_per_epoch=steps, seed=seed, select=None
    )
    total, generator = epochs * steps, torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for chosen in torch.randperm(len(data.x), generator=generator).split(SIZE):
            if not constant:
                for group in optimizer.param_groups:
                    group["lr"] = LR * 0.5 * (1 + math.cos(math.pi * session.steps / total))
            session.step(Batch(data.x[chosen], data.y[chosen], index=chosen))
        if held:
            session.validate(held)
    session.finish(batches=[Batch(*pair) for pair in zip(data.x.split(SIZE), data.y.split(SIZE), strict=True)])
    return model.eval()


def needs_rows(recipe: Recipe) -> bool:
    """Return whether it moves by held-out rows: it then trains on four fifths and gets the last fifth as such."""
    return recipe.is_adaptive or any(
        one.reads or type(one).select is not Regularizer.select for one in recipe.by_address.values()
    )


def score(model: nn.Module, problem: Problem, data: Data, seed: int) -> dict[str, float]:
    """Return the figures on the test rows; for images also under attack."""
    noise = torch.randn(data.test_x.shape, generator=torch.Generator().manual_seed(seed)) * problem.noise
    with torch.no_grad():
        out, noisy = model(data.test_x), model(data.test_x + noise)
    if not data.classes:
        return {"rmse": _rmse(out, data.test_y), "noisy_rmse": _rmse(noisy, data.test_y)}
    figures = {
        "accuracy": _accuracy(out, data.test_y),
        "log_loss": float(F.cross_entropy(out.double(), data.test_y)),
        "calibration": _calibration(out, data.test_y),
        "noisy": _accuracy(noisy, data.test_y),
    }
    if problem.eps:
        x, y = data.test_x[:500], data.test_y[:500]
        moved = attack(model, x, y, problem.eps)
        with torch.no_grad():
            figures["attacked"] = _accuracy(model(moved), y)
    return figures


def attack(model: nn.Module, x: Tensor, y: Tensor, eps: float, steps: int = 10) -> Tensor:
    """Return the inputs after projected gradient steps of 2.5·eps/steps from a random start, inside [0, 1]."""
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(0))
    moved = (x + (2 * noise - 1) * eps).clamp(0, 1)
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(model(moved), y, reduction="sum"), moved)
        moved = moved.detach() + 2.5 * eps / steps * slope.sign()
        moved = torch.minimum(torch.maximum(moved, x - eps), x + eps).clamp(0, 1)
    return moved.detach()


def _accuracy(out: Tensor, y: Tensor) -> float:
    return float((out.argmax(1) == y).double().mean())


def _rmse(out: Tensor, y: Tensor) -> float:
    return float((out.squeeze(1) - y).double().square().mean().sqrt())


def _calibration(out: Tensor, y: Tensor) -> float:
    """Return the expected calibration error in equal bins of confidence."""
    confidence, chosen = out.double().softmax(1).max(1)
    right = (chosen == y).double()
    place = (confidence * BINS).long().clamp(max=BINS - 1)
    gaps = torch.zeros(BINS, dtype=torch.float64).index_add(0, place, confidence - right)
    return float(gaps.abs().sum() / len(y))
