"""Attacks that follow slopes: fixed steps, and steps that shorten themselves where the loss no longer rises."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

from temperance.evaluation.adversarial.ball import Ball
from temperance.evaluation.adversarial.victim import Loss, Victim, fails

MOMENTUM = 0.75  # share of the new step; the rest is the last one
RISING = 0.75  # share of steps between two checks that must raise the loss
_KEPT = 0.75  # of the rows still under attack: below it, rows that are done leave the batch


class Found(NamedTuple):
    """What an attack found.

    Shapes: points (b, …), a wrong answer where there is one, else the point of largest loss; broken (b,) bool.
    """

    points: Tensor
    broken: Tensor


def fixed_steps(
    victim: Victim, x: Tensor, y: Tensor, ball: Ball, loss: Loss, *, steps: int, stride: float, start: Tensor
) -> Found:
    """Take steps of one length along the slope (Madry et al. 2018, arXiv:1706.06083).

    Shapes: x and start (b, …), y (b,).

    Args:
        victim: the model.
        x: clean points.
        y: true classes.
        ball: how far a point may go.
        loss: what to raise.
        steps: number of steps.
        stride: length of a step as a share of ``ball.eps``.
        start: where to begin, inside the ball.

    """
    point, points, broken = start, start.clone(), torch.zeros(len(x), dtype=torch.bool)
    for step in range(steps + 1):
        if step < steps:
            _, scores, slope = victim.slope(point, y, loss)
        else:
            scores = victim.scores(point)
        hit = fails(scores, y) & ~broken
        points[hit], broken = point[hit], broken | hit
        if step < steps:
            point = ball.inside(point + stride * ball.eps * ball.unit(slope), x, victim)
    points[~broken] = point[~broken]
    return Found(points, broken)


@dataclass
class _Climb:
    """The rows still under attack. Shapes: (m, …) for points and slopes, (m,) for the rest."""

    row: Tensor
    origin: Tensor
    y: Tensor
    asked: Tensor
    point: Tensor
    last: Tensor
    slope: Tensor
    value: Tensor
    best: Tensor
    best_slope: Tensor
    best_value: Tensor
    stride: Tensor
    rises: Tensor
    halved: Tensor
    checked_value: Tensor

    def take(self, kept: Tensor) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name)[kept])


def checks(steps: int) -> list[int]:
    """Return after which steps the length is looked at: gaps of 0.22 of all steps, each 0.03 shorter, at least 0.06."""
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    return sorted({math.ceil(round(share * steps, 6)) for share in shares[1:]})


def apgd(
    victim: Victim,
    x: Tensor,
    y: Tensor,
    ball: Ball,
    loss: Loss,
    *,
    steps: int,
    start: Tensor,
    target: Tensor | None = None,
) -> Found:
    """Follow the slope with momentum; halve the step and go back to the best point where the loss stops rising.

        z = P(xᵏ + η s(∇l));  xᵏ⁺¹ = P(xᵏ + α (z − xᵏ) + (1 − α)(xᵏ − xᵏ⁻¹)),  α = 0.75,  η = 2 ε at first

    A row that is answered wrongly is done. Croce and Hein (2020), arXiv:2003.01690, section 3 and algorithm 1.
    Shapes: x and start (b, …), y and target (b,).

    Args:
        victim: the model.
        x: clean points.
        y: true classes.
        ball: how far a point may go.
        loss: what to raise; asked with ``y``, or with (b, 2) of ``y`` and ``target``.
        steps: number of steps.
        start: where to begin, inside the ball.
        target: classes to reach, for a loss that wants them.

    """
    asked = y if target is None else torch.stack([y, target], dim=1)
    points, broken = start.clone(), torch.zeros(len(x), dtype=torch.bool)
    value, scores, slope = victim.slope(start, asked, loss)
    eta = torch.full_like(value, 2 * ball.eps)
    none = torch.zeros(len(x))
    now = _Climb(
        torch.arange(len(x)), x, y, asked, start, start, slope, value, start.clone(), slope.clone(), value.clone(),
        eta, none, torch.zeros(len(x), dtype=torch.bool), value.clone(),
    )  # fmt: skip
    _note(now, scores, points, broken)
    marks, since = set(checks(steps)), 0
    for step in range(1, steps + 1):
        done = broken[now.row]
        if done.all():
            break
        if float((~done).float().mean()) < _KEPT:
            now.take(~done)
        scores = _move(now, ball, victim, loss, first=step == 1)
        _note(now, scores, points, broken)
        since += 1
        if step in marks:
            _check(now, since)
            since = 0
    rest = ~broken[now.row]
    points[now.row[rest]] = now.best[rest]
    return Found(points, broken)


def _note(now: _Climb, scores: Tensor, points: Tensor, broken: Tensor) -> None:
    hit = fails(scores, now.y) & ~broken[now.row]
    if hit.any():
        points[now.row[hit]] = now.point[hit]
        broken[now.row[hit]] = True


def _move(now: _Climb, ball: Ball, victim: Victim, loss: Loss, *, first: bool) -> Tensor:
    stride = now.stride.reshape(-1, *[1] * (now.point.dim() - 1)).to(now.point.dtype)
    ahead = ball.inside(now.point + stride * ball.unit(now.slope), now.origin, victim)
    if not first:
        ahead = now.point + MOMENTUM * (ahead - now.point) + (1 - MOMENTUM) * (now.point - now.last)
        ahead = ball.inside(ahead, now.origin, victim)
    now.last, now.point = now.point, ahead
    value, scores, now.slope = victim.slope(now.point, now.asked, loss)
    now.rises = now.rises + (value > now.value)
    better = value > now.best_value
    now.best[better], now.best_slope[better] = now.point[better], now.slope[better]
    now.best_value = torch.where(better, value, now.best_value)
    now.value = value
    return scores


def _check(now: _Climb, since: int) -> None:
    """Halve the step where the loss rose too rarely, or nothing better was found since a step that was not halved."""
    stalled = ~now.halved & (now.checked_value >= now.best_value)
    halve = (now.rises < RISING * since) | stalled
    now.stride = torch.where(halve, now.stride / 2, now.stride)
    now.point, now.last = now.point.clone(), now.last.clone()
    now.point[halve], now.slope[halve] = now.best[halve], now.best_slope[halve]
    now.last[halve] = now.best[halve]
    now.value = torch.where(halve, now.best_value, now.value)
    now.halved, now.checked_value = halve, now.best_value.clone()
    now.rises = torch.zeros_like(now.rises)
