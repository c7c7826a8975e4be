"""Averages of weights, as they are usually written by hand beside an optimizer."""

from __future__ import annotations

from collections import deque

import torch
from benchmarks.step_overhead.work import LR, Cell, Step, Work
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from temperance import LAWA, GreedySoup, Recipe, ScheduleFree

EVERY, WINDOW = 5, 6


def soup(work: Work) -> Step:
    """Nothing happens in a step: candidates are taken at each validation."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()

    return step


def lawa(work: Work) -> Step:
    """Keep the latest checkpoints in a queue; their mean is taken when it is asked for."""
    net, x, y = work.net, work.x, work.y
    optimizer = work.adamw()
    kept: deque[list[Tensor]] = deque(maxlen=WINDOW)
    done = 0

    def step() -> None:
        nonlocal done
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
        done += 1
        if done % EVERY == 0:
            kept.append([p.detach().clone() for p in net.parameters()])

    return step


def schedule_free(work: Work) -> Step:
    """Keep z and x beside the net, which holds y; AdamW steps from z."""
    net, x, y, params = work.net, work.x, work.y, work.params
    optimizer = work.adamw()
    base = [p.detach().clone() for p in params]
    mean = [p.detach().clone() for p in params]
    total = 0.0

    def step() -> None:
        nonlocal total
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        with torch.no_grad():
            for p, z in zip(params, base, strict=True):
                p.copy_(z)
            optimizer.step()
            total += LR**2
            share = LR**2 / total
            for p, z, average in zip(params, base, mean, strict=True):
                z.copy_(p)
                average.lerp_(z, share)
                p.lerp_(average, 0.9)

    return step


CELLS = {
    "GreedySoup": Cell(Recipe(GreedySoup()), soup, same=True),
    "LAWA": Cell(Recipe(LAWA(window=WINDOW, every=EVERY)), lawa, same=True),
    "ScheduleFree": Cell(Recipe(ScheduleFree(0.9)), schedule_free, same=True),
}
