"""How far a point may be moved: the distance, the steps of that length, and the way back inside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from temperance.evaluation.adversarial.victim import Victim
from temperance.records.errors import SettingError

_TINY = 1e-12


@dataclass(frozen=True)
class Ball(ABC):
    """All points within ``eps`` of a clean one, in one norm, inside the victim's box; subclasses are final.

    Attributes:
        eps: largest distance, in the units of the points; finite and above 0.

    Raises:
        SettingError: another ``eps``.

    """

    eps: float

    name: ClassVar[str]

    def __post_init__(self) -> None:
        if not 0 < self.eps < float("inf"):
            raise SettingError(f"eps={self.eps!r}", "a finite distance above 0", "Give it in the units of the inputs")

    @abstractmethod
    def distance(self, x: Tensor, origin: Tensor) -> Tensor:
        """Return how far points are from clean ones, (b, …) → (b,)."""

    @abstractmethod
    def unit(self, slope: Tensor) -> Tensor:
        """Return the step of length 1 that rises most, (b, …)."""

    @abstractmethod
    def shrink(self, moved: Tensor, eps: float) -> Tensor:
        """Return differences (b, …) drawn in to length ``eps``."""

    @abstractmethod
    def draw(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return differences of length 1 in random directions, of the shape (b, …) of ``x``."""

    def inside(self, x: Tensor, origin: Tensor, victim: Victim, *, eps: float | None = None) -> Tensor:
        """Return points drawn in to the ball and the box; both hold, since the clean point lies in the box.

        Shapes: (b, …). A clean value that lies outside the box may stay where it is.
        """
        moved = x - origin if victim.free is None else (x - origin) * victim.free
        near = origin + self.shrink(moved, self.eps if eps is None else eps)
        kept = victim.inside(near)
        if victim.low is None and victim.high is None:
            return near
        return torch.minimum(torch.maximum(kept, torch.minimum(near, origin)), torch.maximum(near, origin))

    def start(self, x: Tensor, generator: torch.Generator, victim: Victim) -> Tensor:
        """Return points at random on the edge of the ball, (b, …)."""
        return self.inside(x + self.eps * self.draw(x, generator), x, victim)


@final
@dataclass(frozen=True)
class Linf(Ball):
    """Each number of a point may move by up to ``eps``."""

    name = "Linf"

    def distance(self, x: Tensor, origin: Tensor) -> Tensor:
        """Return the largest change of any number, (b, …) → (b,)."""
        return (x - origin).abs().flatten(1).amax(dim=1)

    def unit(self, slope: Tensor) -> Tensor:
        """Return the signs, (b, …)."""
        return slope.sign()

    def shrink(self, moved: Tensor, eps: float) -> Tensor:
        """Return differences cut off at ``eps``, (b, …)."""
        return moved.clamp(-eps, eps)

    def draw(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return numbers from −1 to 1, at least one of them at an end, (b, …)."""
        drawn: Tensor = 2 * torch.rand(x.shape, generator=generator, dtype=x.dtype) - 1
        return drawn / _per_row(drawn.abs().flatten(1).amax(dim=1), x)


@final
@dataclass(frozen=True)
class L2(Ball):
    """The root of the summed squares of all changes may be up to ``eps``."""

    name = "L2"

    def distance(self, x: Tensor, origin: Tensor) -> Tensor:
        """Return the root of the summed squares, (b, …) → (b,)."""
        found: Tensor = torch.linalg.vector_norm((x - origin).flatten(1), dim=1)
        return found

    def unit(self, slope: Tensor) -> Tensor:
        """Return the slopes at length 1, (b, …)."""
        return slope / _per_row(slope.flatten(1).norm(dim=1), slope)

    def shrink(self, moved: Tensor, eps: float) -> Tensor:
        """Return differences drawn in to length ``eps``, (b, …)."""
        length = moved.flatten(1).norm(dim=1)
        return moved * _per_row(torch.clamp(eps / length.clamp(min=_TINY), max=1.0), moved, floor=False)

    def draw(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return directions at random, (b, …)."""
        return self.unit(torch.randn(x.shape, generator=generator, dtype=x.dtype))


BALLS: dict[str, type[Ball]] = {ball.name: ball for ball in (Linf, L2)}


def _per_row(value: Tensor, x: Tensor, *, floor: bool = True) -> Tensor:
    value = value.clamp(min=_TINY) if floor else value
    return value.reshape(-1, *[1] * (x.dim() - 1))
