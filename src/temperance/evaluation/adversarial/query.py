"""Attacks that ask for answers only: random search over squares of a picture or sets of columns, and plain chance."""

from __future__ import annotations

import torch
from torch import Tensor

from temperance.evaluation.adversarial.ball import Ball, Linf
from temperance.evaluation.adversarial.gradient import Found
from temperance.evaluation.adversarial.losses import margin
from temperance.evaluation.adversarial.victim import Victim, fails

SHARE = 0.8  # of a point that the first proposals change
_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 queries


def share_at(query: int, queries: int) -> float:
    """Return the share of a point that a proposal changes: 0.8, halved nine times as the queries go by."""
    done = 10_000 * query / queries
    return SHARE * 0.5 ** sum(done > mark for mark in _HALVINGS)


def chance(victim: Victim, x: Tensor, y: Tensor, ball: Ball, *, draws: int, generator: torch.Generator) -> Found:
    """Try points at random on the edge of the ball: the yardstick below which an attack is no attack.

    Shapes: x (b, …), y (b,).

    Args:
        victim: the model.
        x: clean points.
        y: true classes.
        ball: how far a point may go.
        draws: points per row.
        generator: of the draws.

    """
    points, broken = x.clone(), torch.zeros(len(x), dtype=torch.bool)
    for _ in range(draws):
        left = torch.nonzero(~broken).flatten()
        if not len(left):
            break
        drawn = ball.start(x[left], generator, victim)
        hit = victim.wrong(drawn, y[left])
        points[left[hit]], broken[left[hit]] = drawn[hit], True
    return Found(points, broken)


def search(victim: Victim, x: Tensor, y: Tensor, ball: Ball, *, queries: int, generator: torch.Generator) -> Found:
    """Change a random square (pictures) or random columns, and keep what raises the margin.

    After Andriushchenko et al. (2020), arXiv:1912.00049, with the window of a proposal shrinking as there. Pictures
    begin with stripes. In L2 the window gets random signs and the whole change is brought back to length ε, which is
    simpler than the paper's way.
    Shapes: x (b, …), y (b,).

    Args:
        victim: the model; its slopes are not asked for.
        x: clean points.
        y: true classes.
        ball: how far a point may go.
        queries: answers per row.
        generator: of the proposals.

    """
    points, broken = x.clone(), torch.zeros(len(x), dtype=torch.bool)
    rows, origin, truth = torch.arange(len(x)), x, y
    point = ball.inside(x + ball.eps * ball.unit(_stripes(x, generator)), x, victim)
    value, done = _ask(victim, point, truth)
    for query in range(1, queries + 1):
        if done.any():
            points[rows[done]], broken[rows[done]] = point[done], True
            kept = ~done
            rows, origin, truth, point, value = rows[kept], origin[kept], truth[kept], point[kept], value[kept]
        if not len(rows) or query == queries:
            break
        proposal = _propose(point, origin, victim, ball, share_at(query, queries), generator)
        found, wrong = _ask(victim, proposal, truth)
        better = wrong | (found > value)
        point = torch.where(better.reshape(-1, *[1] * (x.dim() - 1)), proposal, point)
        value, done = torch.where(better, found, value), wrong
    points[rows] = point
    return Found(points, broken)


def _ask(victim: Victim, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    scores = victim.scores(x)
    return margin(scores, y), fails(scores, y)


def _signs(shape: tuple[int, ...], generator: torch.Generator, x: Tensor) -> Tensor:
    return torch.randint(0, 2, shape, generator=generator).to(x.dtype).mul(2).sub(1)


def _stripes(x: Tensor, generator: torch.Generator) -> Tensor:
    if x.dim() == 4:
        return _signs((len(x), x.shape[1], 1, x.shape[3]), generator, x).expand_as(x)
    return _signs(tuple(x.shape), generator, x)


def _propose(
    point: Tensor, origin: Tensor, victim: Victim, ball: Ball, share: float, generator: torch.Generator
) -> Tensor:
    window = _square(point, share, generator) if point.dim() == 4 else _columns(point, share, generator, victim)
    shape = (*point.shape[:2], 1, 1) if point.dim() == 4 else tuple(point.shape)
    signs = _signs(shape, generator, point)
    if isinstance(ball, Linf):
        moved = torch.where(window, ball.eps * signs, point - origin)
    else:
        size = window.expand_as(point).flatten(1).sum(dim=1).clamp(min=1).to(point.dtype)
        height = (ball.eps * (share / size).sqrt()).reshape(-1, *[1] * (point.dim() - 1))
        moved = torch.where(window, height * signs, point - origin)
        moved = ball.eps * ball.unit(moved)
    return ball.inside(origin + moved, origin, victim)


def _square(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return where a random square lies in each picture, (b, 1, h, w) bool."""
    count, _, height, width = x.shape
    side = min(max(round((share * height * width) ** 0.5), 1), max(1, min(height, width) - 1))
    top = torch.randint(0, height - side + 1, (count, 1, 1, 1), generator=generator)
    left = torch.randint(0, width - side + 1, (count, 1, 1, 1), generator=generator)
    down, over = torch.arange(height).reshape(1, 1, -1, 1), torch.arange(width).reshape(1, 1, 1, -1)
    found: Tensor = (down >= top) & (down < top + side) & (over >= left) & (over < left + side)
    return found


def _columns(x: Tensor, share: float, generator: torch.Generator, victim: Victim) -> Tensor:
    """Return random numbers of each point that may be changed, (b, …) bool, at least one."""
    drawn = torch.rand(x.shape, generator=generator).flatten(1)
    if victim.free is not None:
        drawn = drawn + 2 * (victim.free.expand_as(x).flatten(1) == 0)
    count = min(max(1, round(share * drawn.shape[1])), drawn.shape[1])
    edge = drawn.kthvalue(count, dim=1).values
    return (drawn <= edge[:, None]).reshape(x.shape)
