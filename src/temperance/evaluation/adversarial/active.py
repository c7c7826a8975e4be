"""Is the attack strong enough to be believed? Problems with a known answer are set, and the attack must find it.

For each row a readout of two classes is fitted on the model's own features, so that the clean row and many points
around it are of one class, and one point on the edge of the budget is of the other: a wrong answer within the budget
exists for certain. An attack that misses many of them says nothing when it finds no wrong answer of the model itself.
Zimmermann, Brendel, Tramèr and Carlini (2022), "Increasing confidence in adversarial robustness evaluations",
arXiv:2206.13991.
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from temperance.evaluation.adversarial.ball import Ball
from temperance.evaluation.adversarial.gradient import apgd
from temperance.evaluation.adversarial.losses import margin
from temperance.evaluation.adversarial.victim import Victim, fails
from temperance.records.statistics import wilson

PASSES = 0.9  # share of problems that an attack must solve
INNER, SHARE = 199, 0.9  # points of the first class beside the clean row; the largest share of ε at which they lie
GAP = 0.9  # where the boundary stands between the last inner point and the outer one; larger: harder
_RIDGE = 1e-3  # of the mean variance of the features
_LEAST = 10  # problems below which nothing is said


@dataclass(frozen=True)
class Active:
    """How many problems with a known answer an attack solved.

    Attributes:
        solved: problems solved by the attack.
        by_chance: problems that as many random points solve.
        tried: problems set.
        impossible: rows for which no readout separates the points.
        seconds: time it took.

    """

    solved: int
    by_chance: int
    tried: int
    impossible: int
    seconds: float

    @property
    def rate(self) -> float:
        """Share of problems solved; nan where none was set."""
        return self.solved / self.tried if self.tried else math.nan

    @property
    def passed(self) -> bool | None:
        """Whether the attack is strong enough; None where too few problems could be set to say.

        Not passed where the upper end of the 95 % interval (Wilson) lies below 0.9.
        """
        if self.tried < _LEAST:
            return None
        return wilson(self.solved, self.tried)[1] >= PASSES

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {**vars(self), "rate": self.rate if self.tried else None, "passed": self.passed}


def active_test(
    victim: Victim,
    features: Callable[[Tensor], Tensor],
    x: Tensor,
    ball: Ball,
    *,
    steps: int = 50,
    seed: int = 0,
) -> Active:
    """Set one problem per row and attack it with APGD on the margin.

    Shapes: x (b, …).

    Args:
        victim: the model; its box and its way to slopes are used.
        features: points (b, …) → features (b, d), differentiable where the victim is.
        x: clean points; 50 are enough.
        ball: norm and budget.
        steps: of the attack, on each problem.
        seed: of everything random.

    """
    begun = time.perf_counter()
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/active".encode()))
    weights, offsets, kept = _readouts(victim, features, x, ball, generator)
    if not kept.any():
        return Active(0, 0, 0, len(x), time.perf_counter() - begun)
    rows, w, b = x[kept], weights[kept], offsets[kept]
    solved = by_chance = 0
    for i in range(len(rows)):  # each row has a readout of its own

        def read(points: Tensor, w: Tensor = w[i], b: Tensor = b[i]) -> Tensor:
            score = features(points).to(w.dtype) @ w - b
            return torch.stack([-score, score], dim=1)

        asked = replace(victim, function=read)
        row, clean = rows[i : i + 1], torch.zeros(1, dtype=torch.int64)
        start = ball.start(row, generator, victim)
        found = apgd(asked, row, clean, ball, margin, steps=steps, start=start)
        solved += bool(found.broken[0]) and bool(asked.wrong(found.points, clean)[0])
        drawn = ball.start(row.expand(2 * steps, *row.shape[1:]), generator, victim)
        by_chance += bool(fails(asked.scores(drawn), clean.expand(len(drawn))).any())
    return Active(solved, by_chance, len(rows), len(x) - len(rows), time.perf_counter() - begun)


def _readouts(
    victim: Victim, features: Callable[[Tensor], Tensor], x: Tensor, ball: Ball, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return directions (b, d), offsets (b,) and whether one exists (b,).

    The direction is that of a ridge regression of the class on the features; the offset stands between the
    largest inner and the outer value, nearer to the outer one.
    """
    weights, offsets, kept = [], [], []
    with torch.no_grad():
        for row in torch.split(x, 1):
            many = row.expand(INNER, *row.shape[1:])
            drawn = ball.draw(many, generator)
            length = SHARE * ball.eps * torch.rand(INNER, generator=generator).reshape(-1, *[1] * (row.dim() - 1))
            inner = ball.inside(many + length.to(row.dtype) * drawn, many, victim)
            outer = ball.start(row, generator, victim)
            h = features(torch.cat([row, inner, outer])).double()
            middle = h[:-1].mean(dim=0)
            apart, spread = h[-1] - middle, h[:-1] - middle
            scatter = spread.T @ spread / len(spread)
            ridge = _RIDGE * scatter.diagonal().mean().clamp(min=1e-12)
            w = torch.linalg.solve(scatter + ridge * torch.eye(len(apart), dtype=h.dtype), apart)
            value = h @ w
            last, edge = value[:-1].max(), value[-1]
            weights.append(w)
            offsets.append(last + GAP * (edge - last))
            kept.append(bool(torch.isfinite(w).all()) and bool(edge - last > 1e-6 * (value.abs().max() + 1e-12)))
    return torch.stack(weights), torch.stack(offsets), torch.tensor(kept)
