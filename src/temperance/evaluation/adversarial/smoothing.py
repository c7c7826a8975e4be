"""A certificate by randomized smoothing: how far the majority answer under noise is proven to stay.

The proof is about the smoothed model (the majority of many noisy answers), not about the model as it is served.
Cohen, Rosenfeld and Kolter (2019), arXiv:1902.02918, theorem 1 and section 3.2.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from temperance.evaluation.adversarial.victim import Victim
from temperance.records.distributions import beta_quantile, normal_quantile
from temperance.records.errors import SettingError


@dataclass(frozen=True, eq=False)
class Certificate:
    """Proven radii.

    Attributes:
        sigma: standard deviation of the noise, in the units of the points.
        draws: noisy answers behind each radius.
        alpha: chance that a row's radius is wrong.
        answer: majority answer (b,), −1 where the certificate abstains.
        radius: L2 distance (b,) within which the majority answer is proven; 0 where it abstains.
        right: the majority answer is right, (b,) bool.

    """

    sigma: float
    draws: int
    alpha: float
    answer: Tensor
    radius: Tensor
    right: Tensor

    def accuracy(self, radius: float) -> float:
        """Return the share of rows that are right and proven to stay so within this L2 distance."""
        return float((self.right & (self.radius >= radius)).double().mean())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields (without the rows)."""
        kept = self.radius[self.right & (self.radius > 0)]
        return {
            "sigma": self.sigma,
            "draws": self.draws,
            "alpha": self.alpha,
            "n": len(self.radius),
            "right": float(self.right.double().mean()),
            "abstained": float((self.answer < 0).double().mean()),
            "median_radius": float(kept.median()) if len(kept) else None,
        }


def lower_bound(hits: int, draws: int, *, alpha: float) -> float:
    """Return the one-sided lower bound of a share (Clopper and Pearson) that is wrong with chance ``alpha``."""
    return 0.0 if hits == 0 else beta_quantile(alpha, a=hits, b=draws - hits + 1)


def certify(
    victim: Victim,
    x: Tensor,
    y: Tensor,
    *,
    sigma: float,
    draws: int = 1000,
    first: int = 100,
    alpha: float = 1e-3,
    seed: int = 0,
) -> Certificate:
    """Certify rows: σ · Φ⁻¹(p), where p is a lower bound of the chance of the majority answer under noise N(0, σ²).

    The majority class is chosen on ``first`` other draws. Noise is added to the points as they are, without cutting
    it off at the box, as the theorem wants.
    Shapes: x (b, …), y (b,).

    Args:
        victim: the model.
        x: clean points.
        y: true classes.
        sigma: of the noise, in the units of the points.
        draws: answers that the bound rests on.
        first: answers that choose the class.
        alpha: chance that one row's radius is wrong.
        seed: of the noise.

    Raises:
        SettingError: a setting outside its range.

    """
    if not sigma > 0 or draws < 10 or first < 1 or not 0 < alpha < 1:
        raise SettingError(
            f"sigma={sigma!r}, draws={draws!r}, first={first!r}, alpha={alpha!r}",
            "sigma above 0, at least 10 draws, at least 1 first draw, alpha between 0 and 1",
            "Leave draws, first and alpha out for the defaults",
        )
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/smoothing".encode()))
    answers, radii = [], []
    for row in torch.split(x, 1):
        guess = int(torch.bincount(_noisy(victim, row, sigma, first, generator)).argmax())
        hits = int((_noisy(victim, row, sigma, draws, generator) == guess).sum())
        bound = lower_bound(hits, draws, alpha=alpha)
        sure = bound > 0.5
        answers.append(guess if sure else -1)
        radii.append(sigma * normal_quantile(bound) if sure else 0.0)
    answer, radius = torch.tensor(answers), torch.tensor(radii, dtype=torch.float64)
    return Certificate(sigma, draws, alpha, answer, radius, answer == y)


def largest_radius(sigma: float, draws: int, *, alpha: float = 1e-3) -> float:
    """Return the largest radius that so many draws can prove, where all of them agree."""
    return sigma * normal_quantile(math.exp(math.log(alpha) / draws))


def _noisy(victim: Victim, row: Tensor, sigma: float, draws: int, generator: torch.Generator) -> Tensor:
    noise = torch.randn(draws, *row.shape[1:], generator=generator, dtype=row.dtype)
    noise = noise if victim.free is None else noise * victim.free
    return victim.answer(row + sigma * noise)
