"""Rules that choose which weights serve, computed from the weights after each epoch of one training."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Score = Callable[[Tensor], float]


def mean(points: list[Tensor]) -> Tensor:
    return torch.stack(points).mean(0)


def best(points: list[Tensor], losses: list[float]) -> Tensor:
    return points[min(range(len(losses)), key=losses.__getitem__)]


def latest(points: list[Tensor], held: Score, k: int) -> Tensor:
    """Return the mean of k readings in a row that has the lowest held-out loss (LAWA, chosen by held-out loss)."""
    means = [mean(points[max(0, t - k + 1) : t + 1]) for t in range(len(points))]
    return best(means, [held(one) for one in means])


def growing(points: list[Tensor], losses: list[float], held: Score, most: int) -> Tensor:
    """Return the soup that each reading joins where it lowers the held-out loss; a better reading begins it anew."""
    soup, level, count = points[0], losses[0], 1
    for point, loss in zip(points[1:], losses[1:], strict=True):
        trial = torch.lerp(soup, point, 1 / (min(count, most - 1) + 1))
        joined = held(trial)
        if joined <= min(level, loss):
            soup, level, count = trial, joined, count + 1
        elif loss < level:
            soup, level, count = point, loss, 1
    return soup


def top(points: list[Tensor], losses: list[float], held: Score, k: int) -> Tensor:
    """Return the greedy soup of the k best readings (Wortsman et al. 2022)."""
    order = sorted(range(len(points)), key=losses.__getitem__)[:k]
    soup, level, count = points[order[0]], losses[order[0]], 1
    for i in order[1:]:
        trial = torch.lerp(soup, points[i], 1 / (count + 1))
        value = held(trial)
        if value <= level:
            soup, level, count = trial, value, count + 1
    return soup


def everything(points: list[Tensor], losses: list[float], held: Score) -> dict[str, Tensor]:
    """Return what each rule would serve."""
    return {
        "last": points[-1],
        "best": best(points, losses),
        "growing": growing(points, losses, held, 10**6),
        "top 5": top(points, losses, held, 5),
        "mean of 6": latest(points, held, 6),
    }
