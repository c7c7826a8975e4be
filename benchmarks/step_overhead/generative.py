"""Penalties on a critic's slope, as they are usually written by hand. Rows above 0.5 are real, the others generated."""

from __future__ import annotations

import torch
from benchmarks.step_overhead.work import Cell, Step, Work, squared
from torch.nn import functional as F  # noqa: N812

from temperance import R1, GradientPenalty, Recipe

CRITIC = ("regression",)


def gradient_penalty(work: Work) -> Step:
    """Take the slope at random points between real and generated rows."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        is_real = y > 0.5
        real, fake = x[is_real], x[~is_real]
        count = min(len(real), len(fake))
        u = torch.rand(count, 1)
        between = (u * real[:count] + (1 - u) * fake[:count]).requires_grad_()
        (grad,) = torch.autograd.grad(net(between).sum(), between, create_graph=True)
        penalty = (grad.norm(2, dim=1) - 1).square().mean()
        (F.mse_loss(net(x).squeeze(1), y) + 10.0 * penalty).backward()
        optimizer.step()

    return step


def r1(work: Work) -> Step:
    """Take the slope at the real rows from the same pass as the loss."""
    net, y = work.net, work.y
    optimizer = work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        x = work.x.detach().requires_grad_()
        scores = net(x).squeeze(1)
        (grad,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
        slope = grad[y > 0.5].square().sum(1).mean()
        (F.mse_loss(scores, y) + 5.0 * slope).backward()
        optimizer.step()

    return step


CELLS = {
    "GradientPenalty": Cell(Recipe(GradientPenalty(10.0)), gradient_penalty, CRITIC, squared, why_not="draws noise"),
    "R1": Cell(Recipe(R1(10.0)), r1, CRITIC, squared, same=True),
}
